"""Format strings (Go: fmt/print.go, doPrintf)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from parsers.go.printing import Printer
from parsers.go.runes import decode_rune, encode_rune
from parsers.go.values import type_of

# A width or precision beyond it is none (print.go, tooLarge).
_LARGEST: Final = 1_000_000
_FLAGS: Final = re.compile(rb"[#0+\- ]*")


def printf(form: bytes, values: Sequence[Any]) -> bytes:
    """fmt.Sprintf. The values are no longer in their interfaces; None is nil."""
    return _Format(form, values).run()


class _Format:
    def __init__(self, form: bytes, values: Sequence[Any]) -> None:
        self._form = form
        self._values = values
        self._printer = Printer()
        self._at = 0
        self._argument = 0  # the number of the next value
        self._reordered = False
        self._good_index = True
        self._after_index = False

    def run(self) -> bytes:
        form, printer = self._form, self._printer
        while self._at < len(form):
            percent = form.find(b"%", self._at)
            if percent < 0:
                percent = len(form)
            printer.write(form[self._at : percent])
            self._at = percent + 1
            if percent < len(form):
                self._verb()
        self._extra()
        return printer.buffer.value()

    def _verb(self) -> None:
        printer, form = self._printer, self._form
        self._good_index, self._after_index = True, False
        if self._simple():
            return
        self._index()
        self._width()
        self._precision()
        if not self._after_index:
            self._index()
        if self._at >= len(form):
            printer.write(b"%!(NOVERB)")
            return
        verb, width = decode_rune(form, self._at)
        self._at += width
        if verb == ord("%"):
            printer.write(b"%")
        elif not self._good_index:
            printer.write(b"%!" + encode_rune(verb) + b"(BADINDEX)")
        elif self._argument >= len(self._values):
            printer.write(b"%!" + encode_rune(verb) + b"(MISSING)")
        else:
            self._print(chr(verb))

    def _simple(self) -> bool:
        """The flags; and the whole of a verb that has nothing but flags and a lower-case letter."""
        printer = self._printer
        printer.clear_flags()
        found = _FLAGS.match(self._form, self._at)
        assert found is not None
        flags, self._at = found[0], found.end()
        printer.sharp, printer.zero, printer.plus = b"#" in flags, b"0" in flags, b"+" in flags
        printer.minus, printer.space = b"-" in flags, b" " in flags
        letter = self._form[self._at : self._at + 1]
        if not b"a" <= letter <= b"z" or self._argument >= len(self._values):
            return False
        self._at += 1
        self._print(letter.decode())
        return True

    def _print(self, verb: str) -> None:
        printer = self._printer
        if verb in ("v", "w"):
            printer.sharp_v, printer.sharp = printer.sharp, False
            printer.plus_v, printer.plus = printer.plus, False
        printer.print(self._values[self._argument], verb)
        self._argument += 1

    def _index(self) -> None:
        """[n]: which value is next, counted from 1 (print.go, argNumber)."""
        form = self._form
        self._after_index = form[self._at : self._at + 1] == b"["
        if not self._after_index:
            return
        self._reordered = True
        end = form.find(b"]", self._at + 1)
        if end < 0 or len(form) - self._at < 3:
            self._good_index, self._after_index = False, False
            self._at += 1
            return
        number, stop = self._number(self._at + 1, end)
        self._at = end + 1
        self._after_index = number is not None and stop == end
        if self._after_index and number is not None and 1 <= number <= len(self._values):
            self._argument = number - 1
        else:
            self._good_index = False

    def _number(self, start: int, end: int) -> tuple[int | None, int]:
        """A number and where it ends; none, at `end`, for one that is too large (print.go, parsenum)."""
        value = None
        for at in range(start, end):
            digit = self._form[at] - 48
            if not 0 <= digit <= 9:
                return value, at
            if (value or 0) > _LARGEST:
                return None, end
            value = (value or 0) * 10 + digit
        return value, end

    def _width(self) -> None:
        printer = self._printer
        if self._form[self._at : self._at + 1] != b"*":
            printer.width, self._at = self._number(self._at, len(self._form))
            if self._after_index and printer.width is not None:
                self._good_index = False
            return
        self._at += 1
        printer.width = self._from_values()
        if printer.width is None:
            printer.write(b"%!(BADWIDTH)")
        elif printer.width < 0:
            printer.width, printer.minus, printer.zero = -printer.width, True, False
        self._after_index = False

    def _precision(self) -> None:
        printer, form = self._printer, self._form
        if self._at + 1 >= len(form) or form[self._at] != ord("."):
            return
        self._at += 1
        if self._after_index:
            self._good_index = False
        self._index()
        if form[self._at : self._at + 1] != b"*":
            printer.precision, self._at = self._number(self._at, len(form))
            printer.precision = printer.precision or 0
            return
        self._at += 1
        printer.precision = self._from_values()
        if printer.precision is None or printer.precision < 0:
            printer.precision = None
            printer.write(b"%!(BADPREC)")
        self._after_index = False

    def _from_values(self) -> int | None:
        """The next value as a width or precision; None when it is no whole number or too large."""
        if self._argument >= len(self._values):
            return None
        value = self._values[self._argument]
        self._argument += 1
        kind = None if value is None else type_of(value).kind
        return int(value) if kind in ("int", "uint") and -_LARGEST <= value <= _LARGEST else None

    def _extra(self) -> None:
        """The values that no verb printed."""
        printer = self._printer
        if self._reordered or self._argument >= len(self._values):
            return
        printer.clear_flags()
        printer.write(b"%!(EXTRA ")
        for number, value in enumerate(self._values[self._argument :]):
            if number:
                printer.write(b", ")
            if value is None:
                printer.write(b"<nil>")
            else:
                printer.write(type_of(value).name.encode() + b"=")
                printer.print(value, "v")
        printer.write(b")")
