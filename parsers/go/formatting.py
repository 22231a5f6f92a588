"""Strings and numbers under the flags of a verb (Go: fmt/format.go)."""

from __future__ import annotations

from typing import Final

from parsers.go.floats import format_float
from parsers.go.limits import Buffer, check_size
from parsers.go.quoting import can_backquote, quote, quote_rune
from parsers.go.runes import MAX_RUNE, RUNE_ERROR, bytes_of, encode_rune, is_print, rune_count, text_of

_PREFIXES: Final = {2: b"0b", 16: b"0x"}
_FORMATS: Final = {2: "b", 8: "o", 10: "d", 16: "x"}


class Formatter:
    """A buffer and the flags in force. `width` and `precision` are None when not given."""

    def __init__(self) -> None:
        self.buffer = Buffer()
        self.clear_flags()

    def clear_flags(self) -> None:
        self.width: int | None = None
        self.precision: int | None = None
        self.minus = self.plus = self.sharp = self.space = self.zero = False
        self.plus_v = self.sharp_v = False  # %+v and %#v, which are forms of their own

    def write(self, data: bytes) -> None:
        self.buffer.write(data)

    def fill(self, count: int, *, zeros: bool = True) -> None:
        """Padding: zeros when they are asked for and stand on the left."""
        self.buffer.fill(b"0" if zeros and self.zero and not self.minus else b" ", count)

    def pad(self, data: bytes, *, zeros: bool = True) -> None:
        """The text, as wide as the width asks in runes."""
        if not self.width:
            self.write(data)
            return
        missing = self.width - rune_count(data)
        if not self.minus:
            self.fill(missing, zeros=zeros)
        self.write(data)
        if self.minus:
            self.fill(missing, zeros=zeros)

    def truncated(self, data: bytes) -> bytes:
        """No more runes than the precision says."""
        if self.precision is None or self.precision >= len(data):
            return data
        return data[: self.precision] if data.isascii() else bytes_of(text_of(data)[: self.precision])

    def string(self, data: bytes) -> None:
        self.pad(self.truncated(data))

    def quoted(self, data: bytes) -> None:
        data = self.truncated(data)
        if self.sharp and can_backquote(data):
            self.pad(b"`" + data + b"`")
        else:
            self.pad(quote(data, ascii_only=self.plus))

    def hexadecimal(self, data: bytes, upper: bool) -> None:
        """Each byte of a string as two digits."""
        data = data if self.precision is None else data[: self.precision]
        if not data:
            self.fill(self.width or 0)
            return
        check_size(5 * len(data))
        if self.space:
            text = data.hex(" ").replace(" ", " 0x") if self.sharp else data.hex(" ")
        else:
            text = data.hex()
        text = "0x" + text if self.sharp else text
        missing = (self.width or 0) - len(text)
        if not self.minus:
            self.fill(missing)
        self.write((text.upper() if upper else text).encode())
        if self.minus:
            self.fill(missing)

    def boolean(self, value: bool) -> None:
        self.pad(b"true" if value else b"false")

    def integer(self, value: int, base: int, verb: str) -> None:
        magnitude = abs(value)
        least = self.precision
        if least == 0 and value == 0:
            self.fill(self.width or 0, zeros=False)
            return
        if least is None and self.zero and not self.minus and self.width is not None:
            least = self.width - (value < 0 or self.plus or self.space)
        check_size(least or 0)
        digits = format(magnitude, _FORMATS[base]).encode().rjust(least or 0, b"0")
        if self.sharp:
            digits = self._prefixed(digits, base)
        if verb == "X":
            digits = digits.upper()
        if verb == "O":
            digits = b"0o" + digits
        sign = b"-" if value < 0 else b"+" if self.plus else b" " if self.space else b""
        self.pad(sign + digits, zeros=False)

    @staticmethod
    def _prefixed(digits: bytes, base: int) -> bytes:
        if base == 8:
            return digits if digits.startswith(b"0") else b"0" + digits
        return _PREFIXES.get(base, b"") + digits

    def character(self, code: int) -> None:
        """%c of an unsigned number of 64 bits."""
        self.pad(encode_rune(code if code <= MAX_RUNE else RUNE_ERROR))

    def quoted_character(self, code: int) -> None:
        self.pad(quote_rune(code if code <= MAX_RUNE else RUNE_ERROR, ascii_only=self.plus))

    def unicode(self, code: int) -> None:
        """%U: U+0078, and with # the character too."""
        shown = (
            b" '" + encode_rune(code) + b"'" if self.sharp and code <= MAX_RUNE and is_print(code) else b""
        )
        least = max(self.precision or 0, 4)
        check_size(least)
        self.pad(b"U+" + (b"%X" % code).rjust(least, b"0") + shown, zeros=False)

    def floating(self, value: float, verb: str, precision: int) -> None:
        """`precision` is the verb's own; -1: as many digits as it takes."""
        if self.precision is not None:
            precision = self.precision
        check_size(precision)
        text = format_float(value, verb, precision)
        sign, digits = (text[:1], text[1:]) if text[:1] in b"+-" else (b"+", text)
        if self.space and sign == b"+" and not self.plus:
            sign = b" "
        if digits[:1] in (b"I", b"N"):
            is_bare = digits == b"NaN" and not self.space and not self.plus
            self.pad(digits if is_bare else sign + digits, zeros=False)
            return
        if self.sharp and verb != "b":
            digits = _with_point(digits, verb, precision)
        if not self.plus and sign == b"+":
            self.pad(digits)
        elif self.zero and not self.minus and self.width is not None and self.width > len(digits) + 1:
            self.write(sign)
            self.fill(self.width - len(digits) - 1)
            self.write(digits)
        else:
            self.pad(sign + digits)


def _with_point(text: bytes, verb: str, precision: int) -> bytes:
    """The # flag: a decimal point always, and the zeros that %g drops."""
    tail_at = min((at for at in map(text.find, _exponents(verb)) if at >= 0), default=len(text))
    digits, tail = text[:tail_at], text[tail_at:]
    wanted = 0
    if verb in "vgGx":
        wanted = 6 if precision == -1 else precision
        significant = digits.replace(b".", b"")
        wanted -= len(significant.lstrip(b"0"))
    if b"." not in digits:
        wanted -= digits == b"0"
        digits += b"."
    return digits + b"0" * wanted + tail


def _exponents(verb: str) -> tuple[bytes, ...]:
    return (b"p", b"P") if verb in "xX" else (b"p", b"P", b"e", b"E")
