"""Template functions of terms, made as simple as they can be: what is constant is computed, strings that are
put together stay apart, and what is only known by a condition becomes a choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from math import prod
from typing import Any, Final

from parsers.go.values import NO_VALUE as NONE
from parsers.gotemplate import TemplateError
from parsers.inversion.formats import split_format
from parsers.inversion.functions import call
from parsers.inversion.patterns import alphabet, length
from parsers.inversion.state import constant
from parsers.inversion.term_shapes import shape
from parsers.inversion.terms import (
    NO_VALUE,
    Call,
    Choice,
    Concat,
    Const,
    Has,
    Lookup,
    Opaque,
    Term,
    Whole,
    is_followed,
    kind,
    parts,
    show,
    truth_of,
)

# A term is copied into every branch of a choice; one larger than this is not followed any more.
MAX_SIZE: Final = 200
UNFOLLOWED: Final = Opaque(0)
# Calls that one call of choices may become.
MAX_LEAVES: Final = 64
# They see an entry that is not there as what it is; of the others' values it makes another kind.
_SEES_NONE: Final = frozenset(("and", "or", "not", "eq", "ne"))


def apply(function: str, arguments: tuple[Term, ...]) -> Term:
    """`function` of `arguments`. Raises TemplateError where Go fails whatever the container."""
    if all(isinstance(argument, Const) for argument in arguments):
        return Const(call(function, [argument.value for argument in arguments]))  # type: ignore[union-attr]
    if _is_large(*arguments):
        return UNFOLLOWED
    if function in ("and", "or"):
        return _decided(function, arguments)
    if function not in _SEES_NONE:
        arguments = tuple(map(_opened, arguments))
    if prod(map(_leaves, arguments)) > MAX_LEAVES:
        return UNFOLLOWED
    for place, argument in enumerate(arguments):
        if isinstance(argument, Choice):
            return _distributed(function, arguments, place, argument)
    if not all(map(is_followed, arguments)):
        return UNFOLLOWED
    simplify = _SIMPLER.get(function)
    found = simplify(arguments) if simplify else None
    return Call(function, arguments) if found is None else found


def _is_large(*terms: Term) -> bool:
    return sum(1 for _ in islice((part for term in terms for part in parts(term)), MAX_SIZE + 1)) > MAX_SIZE


def _leaves(term: Term) -> int:
    return _leaves(term.then) + _leaves(term.other) if isinstance(term, Choice) else 1


def _opened(term: Term) -> Term:
    """An entry that may be no value as the choice that it is."""
    if isinstance(term, Choice):
        return Choice(term.condition, _opened(term.then), _opened(term.other))
    if not isinstance(term, Lookup) or term.missing != NO_VALUE:
        return term
    return Choice(Has(term), Lookup(term.map, term.key, None), Const(NONE))


def truth(term: Term) -> bool | None:
    """Whether a term is true in every container, or in none; None when it depends."""
    match term:
        case Const(value):
            return truth_of(value)
        case Whole(_, "info" | "time"):
            return True
        case Call("json", _):
            return True
        case Concat() | Call():
            return True if kind(term) == "string" and length(shape(term))[0] > 0 else None
        case Lookup() | Has() | Whole() | Choice() | Opaque():
            return None
    return True if length(shape(term))[0] > 0 else None


def choice(condition: Term, then: Term, other: Term) -> Term:
    """The one or the other, simplified where both are the same or the condition is settled."""
    settled = truth(condition)
    if settled is not None or (then == other and show(then) == show(other)):  # 1 == True
        return other if settled is False else then
    return UNFOLLOWED if _is_large(condition, then, other) else Choice(condition, then, other)


def _decided(function: str, arguments: tuple[Term, ...]) -> Term:
    """`and` gives its first false argument or the last, `or` its first true one or the last."""
    first, *rest = arguments
    if not rest:
        return first
    later = _decided(function, tuple(rest))
    return choice(first, later, first) if function == "and" else choice(first, first, later)


def _distributed(function: str, arguments: tuple[Term, ...], place: int, split: Choice) -> Term:
    """The choice of calls. A side on which Go fails is never taken: no container starts with it."""
    found: list[Term] = []
    failed: TemplateError | None = None
    for term in (split.then, split.other):
        try:
            found.append(apply(function, (*arguments[:place], term, *arguments[place + 1 :])))
        except TemplateError as error:
            failed = error
    if failed is not None and not found:
        raise failed
    return choice(split.condition, *found) if len(found) == 2 else found[0]


def _not(arguments: tuple[Term, ...]) -> Term | None:
    settled = truth(arguments[0]) if len(arguments) == 1 else None
    return None if settled is None else Const(not settled)


def _index(arguments: tuple[Term, ...]) -> Term | None:
    if len(arguments) != 2:
        return UNFOLLOWED
    whole, key = arguments
    if isinstance(whole, Whole) and whole.kind == "map":
        text = constant(key)
        return UNFOLLOWED if text is None else Lookup(whole.name, text, b"")
    if isinstance(whole, Call) and whole.function == "split" and isinstance(key, Const):
        return _part(whole.arguments, key.value)
    return UNFOLLOWED


def _part(arguments: tuple[Term, ...], number: Any) -> Term | None:
    """A part of `split x sep`, where the separator stands only in the constant beginning of x."""
    whole, separator = arguments[0], constant(arguments[1])
    if not separator or not isinstance(number, int) or not isinstance(whole, Concat):
        return None
    start = constant(whole.parts[0])
    rest = whole.parts[1:]
    if start is None or any(alphabet(shape(part)) & set(separator) for part in rest):
        return None
    known = start.split(separator)
    if number < len(known) - 1:
        return Const(known[number])
    return joined([Const(known[-1]), *rest]) if number == len(known) - 1 else None


def _slice(arguments: tuple[Term, ...]) -> Term | None:
    """`slice x n` where x has a constant beginning of that length: the way to a name without its slash."""
    whole, bounds = arguments[0], arguments[1:]
    if kind(whole) != "string":
        return UNFOLLOWED
    if not isinstance(whole, Concat) or len(bounds) != 1 or not isinstance(bounds[0], Const):
        return None
    start, cut = constant(whole.parts[0]), bounds[0].value
    if start is None or not 0 <= cut <= len(start):
        return None
    return joined([Const(start[cut:]), *whole.parts[1:]])


def _mapped(function: str) -> Callable[[tuple[Term, ...]], Term | None]:
    """Upper and lower case of strings put together are those of each, and undo what case was set before."""

    def simplify(arguments: tuple[Term, ...]) -> Term | None:
        whole = arguments[0]
        if len(arguments) != 1:
            return None
        if isinstance(whole, Call) and whole.function in ("lower", "upper", "title"):
            # beyond ASCII there are letters that do not come back (the long s)
            inner = whole.arguments[0]
            return apply(function, (inner,)) if max(alphabet(shape(inner)), default=0) < 128 else None
        if not isinstance(whole, Concat):
            return None
        return joined([apply(function, (part,)) for part in whole.parts])

    return simplify


def _print(arguments: tuple[Term, ...]) -> Term:
    """fmt.Sprint: a blank between two arguments that are both no strings."""
    found: list[Term] = []
    for number, argument in enumerate(arguments):
        if number and "string" not in (kind(argument), kind(arguments[number - 1])):
            found.append(Const(b" "))
        found.append(_text(argument))
    return joined(found)


def _text(term: Term) -> Term:
    """The term as the string that `print` makes of it."""
    if isinstance(term, Const):
        return Const(call("print", [term.value]))
    return term if kind(term) == "string" else Call("print", (term,))


def _println(arguments: tuple[Term, ...]) -> Term:
    spaced = [piece for argument in arguments for piece in (Const(b" "), _text(argument))][1:]
    return joined([*spaced, Const(b"\n")])


def _printf(arguments: tuple[Term, ...]) -> Term | None:
    text = constant(arguments[0])
    pieces = None if text is None else split_format(text)
    if pieces is None or sum(not isinstance(piece, bytes) for piece in pieces) != len(arguments) - 1:
        return None
    return joined(list(_formatted(pieces, arguments[1:])))


def _formatted(pieces: list[Any], arguments: tuple[Term, ...]) -> Iterator[Term]:
    waiting = iter(arguments)
    for piece in pieces:
        if isinstance(piece, bytes):
            yield Const(piece)
            continue
        argument = next(waiting)
        if piece.is_plain and (kind(argument) == "string" or piece.letter == b"v"):
            yield _text(argument)
        elif isinstance(argument, Const):
            yield Const(call("printf", [piece.text, argument.value]))
        else:
            yield Call("printf", (Const(piece.text), argument))


def joined(terms: list[Term]) -> Term:
    """Terms printed one after the other, as one string."""
    flat: list[Term] = []
    for term in terms:
        for piece in term.parts if isinstance(term, Concat) else (term,):
            before = constant(flat[-1]) if flat else None
            text = constant(piece)
            if text is not None and before is not None:
                flat[-1] = Const(before + text)
            elif text != b"":
                flat.append(piece)
    if not flat:
        return Const(b"")
    return flat[0] if len(flat) == 1 and kind(flat[0]) == "string" else Concat(tuple(flat))


_SIMPLER: Final[dict[str, Callable[[tuple[Term, ...]], Term | None]]] = {
    "not": _not,
    "index": _index,
    "slice": _slice,
    "lower": _mapped("lower"),
    "upper": _mapped("upper"),
    "print": _print,
    "println": _println,
    "printf": _printf,
}
