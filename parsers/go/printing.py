"""Values as fmt prints them (Go: fmt/print.go)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from parsers.go.formatting import Formatter
from parsers.go.runes import encode_rune
from parsers.go.values import NO_VALUE, Boxed, Struct, elements, entries, is_nil, type_of

# The address of a pointer is chance in Go; this one is always the same.
ADDRESS: Final = 0xC000000000

_BASES: Final = {"v": 10, "d": 10, "b": 2, "o": 8, "O": 8, "x": 16, "X": 16}
_PRECISIONS: Final = {"v": -1, "b": -1, "g": -1, "G": -1, "x": -1, "X": -1, "f": 6, "F": 6, "e": 6, "E": 6}
_FLOAT_VERBS: Final = {"v": "g", "F": "f"}
_STRING_VERBS: Final = frozenset("vsxXq")


class Printer(Formatter):
    """One call of fmt. `_arg` and `_value` are what a bad verb complains of."""

    def __init__(self) -> None:
        super().__init__()
        self._arg: Any = None
        self._value: Any = NO_VALUE
        self._erroring = False

    def print_all(self, values: Sequence[Any]) -> None:
        """fmt.Sprint: a space between two values of which neither is a string."""
        was_string = True
        for value in values:
            is_string = isinstance(value, bytes)
            if not (is_string or was_string):
                self.write(b" ")
            self.print(value, "v")
            was_string = is_string

    def print_line(self, values: Sequence[Any]) -> None:
        """fmt.Sprintln"""
        for number, value in enumerate(values):
            if number:
                self.write(b" ")
            self.print(value, "v")
        self.write(b"\n")

    def print(self, value: Any, verb: str) -> None:
        """A value that is no longer in its interface; None is nil."""
        self._arg, self._value = value, NO_VALUE
        if value is None:
            if verb in ("T", "v"):
                self.pad(b"<nil>")
            else:
                self._bad_verb(verb)
        elif verb == "T":
            self.string(type_of(value).name.encode())
        elif verb == "p":
            self._pointer(value, "p")
        elif not self._method(verb) and not self._basic(value, verb):
            self._print_value(value, verb, 0)

    def print_reflected(self, value: Any, verb: str) -> None:
        """A reflect.Value, as in the messages of text/template."""
        if value is NO_VALUE:
            self.write(b"<invalid reflect.Value>")
            return
        self._arg = value.value if isinstance(value, Boxed) else value
        if not self._method(verb):
            self._print_value(value, verb, 0)

    def _print_value(self, value: Any, verb: str, depth: int) -> None:
        if depth > 0:
            self._arg = value.value if isinstance(value, Boxed) else value
            if self._method(verb):
                return
        self._arg, self._value = None, value
        if isinstance(value, Boxed):
            self._boxed(value, verb, depth)
            return
        if self._basic(value, verb):
            return
        match type_of(value).kind:
            case "slice":
                self._slice(value, verb, depth)
            case "map":
                self._map(value, verb, depth)
            case "struct":
                self._struct(value, verb, depth)
            case "pointer" if depth == 0 and value.target is not None:
                self.write(b"&")
                self._print_value(value.target, verb, 1)
            case _:
                self._pointer(value, verb)

    def _basic(self, value: Any, verb: str) -> bool:
        """Prints what is neither nil nor made of other values; says whether it was."""
        match type_of(value).kind:
            case "string":
                self._string(value, verb)
            case "bool":
                self._boolean(value, verb)
            case "int" | "uint" as kind:
                self._integer(int(value), verb, kind == "int")
            case "float":
                self._float(value, verb)
            case "complex":
                self._complex(value, verb)
            case _:
                return False
        return True

    def _method(self, verb: str) -> bool:
        """Prints a value by its own method, and says whether it has one for the verb (fmt, handleMethods)."""
        if self._erroring:
            return False
        if verb == "w":
            self._bad_verb(verb)
            return True
        methods = getattr(self._arg, "methods", None)
        name = b"GoString" if self.sharp_v else b"String"
        if not methods or name not in methods or (not self.sharp_v and verb not in _STRING_VERBS):
            return False
        text = methods[name].run(self._arg)
        if self.sharp_v:
            self.string(text)
        else:
            self._string(text, verb)
        return True

    def _bad_verb(self, verb: str) -> None:
        self._erroring = True
        arg, value = self._arg, self._value
        self.write(b"%!" + encode_rune(ord(verb)) + b"(")
        if arg is not None:
            self.write(type_of(arg).name.encode() + b"=")
            self.print(arg, "v")
        elif value is not NO_VALUE:
            self.write(type_of(value).name.encode() + b"=")
            self._print_value(value, "v", 0)
        else:
            self.write(b"<nil>")
        self.write(b")")
        self._erroring = False

    def _boolean(self, value: bool, verb: str) -> None:
        if verb in ("t", "v"):
            self.boolean(value)
        else:
            self._bad_verb(verb)

    def _integer(self, value: int, verb: str, is_signed: bool) -> None:
        code = value & 0xFFFF_FFFF_FFFF_FFFF
        if verb == "v" and self.sharp_v and not is_signed:
            self._address(value, leading=True)
        elif verb in _BASES:
            self.integer(value, _BASES[verb], verb)
        elif verb == "c":
            self.character(code)
        elif verb == "q":
            self.quoted_character(code)
        elif verb == "U":
            self.unicode(code)
        else:
            self._bad_verb(verb)

    def _address(self, value: int, *, leading: bool) -> None:
        """In base 16, with 0x or without."""
        sharp, self.sharp = self.sharp, leading
        self.integer(value, 16, "v")
        self.sharp = sharp

    def _float(self, value: float, verb: str) -> None:
        if verb in _PRECISIONS:
            self.floating(value, _FLOAT_VERBS.get(verb, verb), _PRECISIONS[verb])
        else:
            self._bad_verb(verb)

    def _complex(self, value: complex, verb: str) -> None:
        if verb not in _PRECISIONS:
            self._bad_verb(verb)
            return
        plus = self.plus
        self.write(b"(")
        self._float(value.real, verb)
        self.plus = True
        self._float(value.imag, verb)
        self.write(b"i)")
        self.plus = plus

    def _string(self, value: bytes, verb: str) -> None:
        if verb == "q" or (verb == "v" and self.sharp_v):
            self.quoted(value)
        elif verb in ("s", "v"):
            self.string(value)
        elif verb in ("x", "X"):
            self.hexadecimal(value, upper=verb == "X")
        else:
            self._bad_verb(verb)

    def _pointer(self, value: Any, verb: str) -> None:
        go_type = type_of(value)
        address = 0 if is_nil(value) else ADDRESS
        if go_type.kind not in ("map", "pointer", "slice", "func"):
            self._bad_verb(verb)
        elif verb == "v" and self.sharp_v:
            self.write(b"(" + go_type.name.encode() + b")(")
            if address:
                self._address(address, leading=True)
            else:
                self.write(b"nil")
            self.write(b")")
        elif verb == "v" and not address:
            self.pad(b"<nil>")
        elif verb in ("v", "p"):
            self._address(address, leading=not self.sharp)
        elif verb in ("b", "o", "d", "x", "X"):
            self._integer(address, verb, is_signed=False)
        else:
            self._bad_verb(verb)

    def _boxed(self, value: Boxed, verb: str, depth: int) -> None:
        if value.value is not None:
            self._print_value(value.value, verb, depth + 1)
        elif self.sharp_v:
            self.write(b"interface {}(nil)")
        else:
            self.write(b"<nil>")

    def _open(self, value: Any) -> bool:
        """The type's name and a brace, for Go syntax; False when the value is nil and that was all."""
        self.write(type_of(value).name.encode() + (b"(nil)" if is_nil(value) else b"{"))
        return not is_nil(value)

    def _slice(self, value: Any, verb: str, depth: int) -> None:
        go_syntax = self.sharp_v
        if not go_syntax:
            self.write(b"[")
        elif not self._open(value):
            return
        for number, element in enumerate(elements(value)):
            if number:
                self.write(b", " if go_syntax else b" ")
            self._print_value(element, verb, depth + 1)
        self.write(b"}" if go_syntax else b"]")

    def _map(self, value: Any, verb: str, depth: int) -> None:
        go_syntax = self.sharp_v
        if not go_syntax:
            self.write(b"map[")
        elif not self._open(value):
            return
        for number, (key, entry) in enumerate(entries(value)):
            if number:
                self.write(b", " if go_syntax else b" ")
            self._print_value(key, verb, depth + 1)
            self.write(b":")
            self._print_value(entry, verb, depth + 1)
        self.write(b"}" if go_syntax else b"]")

    def _struct(self, value: Struct, verb: str, depth: int) -> None:
        self.write(value.go_type.name.encode() + b"{" if self.sharp_v else b"{")
        for number, (name, field) in enumerate(value.fields.items()):
            if number:
                self.write(b", " if self.sharp_v else b" ")
            if self.plus_v or self.sharp_v:
                self.write(name + b":")
            self._print_value(field, verb, depth + 1)
        self.write(b"}")


def printed(values: Sequence[Any]) -> bytes:
    """fmt.Sprint"""
    printer = Printer()
    printer.print_all(values)
    return printer.buffer.value()


def reflected(value: Any) -> bytes:
    """%v of a reflect.Value"""
    printer = Printer()
    printer.print_reflected(value, "v")
    return printer.buffer.value()
