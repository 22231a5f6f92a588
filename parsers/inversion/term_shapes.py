"""What the printed text of a term can look like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from parsers.inversion.formats import one_verb
from parsers.inversion.functions import call, printed
from parsers.inversion.patterns import (
    ANYTHING,
    DIGITS,
    HEX,
    INNER,
    LOWER,
    UPPER,
    WORD,
    Alt,
    Bytes,
    Chars,
    Lit,
    Loop,
    Pattern,
    Quoted,
    Seq,
    alphabet,
    length,
)
from parsers.inversion.shapes import shape_of
from parsers.inversion.state import REPLACEMENT
from parsers.inversion.terms import Call, Choice, Concat, Const, Fact, Has, Term, Whole, kind

# Half a rune, as the tag comes here.
_HALF: Final = Seq((Lit(REPLACEMENT), Loop(Lit(REPLACEMENT))))
# Bytes that json and printf's %q write as they are; all of a name, an id or an image are such.
_UNESCAPED: Final = LOWER | UPPER | DIGITS | frozenset(b"_.-/:@+[] ")


def shape(term: Term) -> Pattern:
    """A pattern without slots that has every text that the term can print."""
    match term:
        case Const(value):
            return Lit(printed(value))
        case Fact(name):
            return shape_of(name)
        case Whole(name, kind_):
            return shape_of(name) if kind_ == "time" else ANYTHING
        case Concat(parts):
            return Seq(tuple(map(shape, parts)))
        case Choice(_, then, other):
            return Alt(INNER, (shape(then), shape(other)))
        case Has():
            return Alt(INNER, (Lit(b"true"), Lit(b"false")))
        case Call(function, arguments):
            return _of_call(function, arguments)
    return ANYTHING


def _of_call(function: str, arguments: tuple[Term, ...]) -> Pattern:
    found = _SHAPES.get(function)
    if found is not None:
        return found(arguments)
    of_kind = kind(Call(function, arguments))
    if of_kind == "bool":
        return Alt(INNER, (Lit(b"true"), Lit(b"false")))
    return Chars(DIGITS, 1) if of_kind == "int" else ANYTHING


def _mapped(function: str) -> Callable[[tuple[Term, ...]], Pattern]:
    """Case functions change bytes one by one where all are ASCII, and then not their number."""

    def shape_of_mapped(arguments: tuple[Term, ...]) -> Pattern:
        inner = shape(arguments[0])
        among = alphabet(inner)
        if any(byte > 127 for byte in among):
            return ANYTHING
        least, most = length(inner)
        mapped = frozenset(call(function, [bytes(sorted(among))]))
        return Chars(mapped if function != "title" else mapped | among | _upper(among), least, most)

    return shape_of_mapped


def _upper(among: Bytes) -> Bytes:
    return frozenset(bytes(among).upper())


def _truncated(arguments: tuple[Term, ...]) -> Pattern:
    inner, size = shape(arguments[0]), arguments[1]
    if not isinstance(size, Const) or not isinstance(size.value, int):
        return Chars(alphabet(inner))
    least, most = length(inner)
    cut = size.value
    among = alphabet(inner)
    whole = Chars(among, min(least, cut), cut if most is None else min(most, cut))
    return Alt(INNER, (whole, Seq((_short(among, cut), _HALF)))) if _has_runes(among) else whole


def _has_runes(among: Bytes) -> bool:
    return any(byte > 127 for byte in among)


def _short(among: Bytes, size: int) -> Pattern:
    """What is left of so many bytes without those of a rune that was cut."""
    return Chars(among, max(0, size - 6), max(0, size - 1))


def _sliced(arguments: tuple[Term, ...]) -> Pattern:
    inner, bounds = shape(arguments[0]), arguments[1:]
    numbers = [bound.value for bound in bounds if isinstance(bound, Const) and isinstance(bound.value, int)]
    if len(numbers) == 2 and len(bounds) == 2 and 0 <= numbers[0] <= numbers[1]:
        among, size = alphabet(inner), numbers[1] - numbers[0]
        whole = Chars(among, size, size)
        if not size or not _has_runes(among):
            return whole
        short = _short(among, size)
        return Alt(INNER, (whole, Seq((short, _HALF)), Seq((_HALF, short)), Seq((_HALF, short, _HALF))))
    return Chars(alphabet(inner))


def _padded(arguments: tuple[Term, ...]) -> Pattern:
    inner = shape(arguments[0])
    sides = [_spaces(argument) for argument in arguments[1:]]
    padded = Seq((sides[0], inner, sides[1])) if len(sides) == 2 else ANYTHING
    return Alt(INNER, (Lit(b""), padded)) if length(inner)[0] == 0 else padded


def _spaces(count: Term) -> Pattern:
    known = isinstance(count, Const) and isinstance(count.value, int) and count.value >= 0
    return Lit(b" " * min(count.value, 1 << 16)) if known else Chars(frozenset(b" "))  # type: ignore[union-attr]


def _json(arguments: tuple[Term, ...]) -> Pattern:
    inner = arguments[0]
    if kind(inner) != "string":
        opening = {"map": b"{", "info": b"{"}.get(kind(inner))
        return ANYTHING if opening is None else Alt(INNER, (Lit(b"null"), _braces()))
    plain = shape(inner)
    return Seq((Lit(b'"'), plain, Lit(b'"'))) if alphabet(plain) <= _UNESCAPED else Quoted()


def _braces() -> Pattern:
    return Seq((Lit(b"{"), ANYTHING, Lit(b"}")))


def _joined(arguments: tuple[Term, ...]) -> Pattern:
    parts, new = arguments
    if not isinstance(parts, Call) or parts.function != "split" or not isinstance(new, Const):
        return ANYTHING
    return Chars(alphabet(shape(parts.arguments[0])) | frozenset(printed(new.value)))


def _element(arguments: tuple[Term, ...]) -> Pattern:
    """`index (split x sep) n`: a part of x, without the separator when that is one byte."""
    parts = arguments[0]
    if not isinstance(parts, Call) or parts.function != "split":
        return ANYTHING
    among, separator = alphabet(shape(parts.arguments[0])), parts.arguments[1]
    if isinstance(separator, Const) and isinstance(separator.value, bytes) and len(separator.value) == 1:
        among -= frozenset(separator.value)
    return Chars(among)


def _formatted(arguments: tuple[Term, ...]) -> Pattern:
    verb = one_verb(arguments[0].value) if isinstance(arguments[0], Const) else None
    if verb is None or len(arguments) != 2 or kind(arguments[1]) != "string":
        return ANYTHING
    among = alphabet(shape(arguments[1]))
    if verb.text == b"%q":
        return Seq((Lit(b'"'), shape(arguments[1]), Lit(b'"'))) if among <= _UNESCAPED else Quoted()
    if verb.text == b"%x":
        least, most = length(shape(arguments[1]))
        return Chars(HEX, 2 * least, None if most is None else 2 * most)
    if verb.letter in (b"s", b"v") and not verb.flags.strip(b"-"):
        return Chars(among | frozenset(b" "), 0, None)
    return ANYTHING


def _split(arguments: tuple[Term, ...]) -> Pattern:
    """A list as it is printed: in brackets, with blanks between."""
    return Seq((Lit(b"["), Chars(alphabet(shape(arguments[0])) | frozenset(b" ")), Lit(b"]")))


def _escaped(plain: Bytes) -> Callable[[tuple[Term, ...]], Pattern]:
    """`html` and its like write these bytes as they are."""

    def shape_of_escaped(arguments: tuple[Term, ...]) -> Pattern:
        inner = shape(arguments[0])
        is_plain = len(arguments) == 1 and kind(arguments[0]) == "string" and alphabet(inner) <= plain
        return inner if is_plain else ANYTHING

    return shape_of_escaped


_SHAPES: Final[dict[str, Callable[[tuple[Term, ...]], Pattern]]] = {
    "print": lambda arguments: shape(arguments[0]) if len(arguments) == 1 else ANYTHING,
    "lower": _mapped("lower"),
    "upper": _mapped("upper"),
    "title": _mapped("title"),
    "truncate": _truncated,
    "slice": _sliced,
    "pad": _padded,
    "json": _json,
    "join": _joined,
    "split": _split,
    "html": _escaped(_UNESCAPED),
    "js": _escaped(_UNESCAPED),
    "urlquery": _escaped(WORD | frozenset(b"_.-")),
    "index": _element,
    "printf": _formatted,
}
