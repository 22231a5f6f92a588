"""A term and the text that it printed -> what that says about the container.

Each function of a template is undone exactly where only one argument can have made the text; otherwise the
text is remembered, and compared as soon as the facts are known from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Final
from urllib.parse import unquote_to_bytes

import orjson

from parsers.gotemplate import TemplateError
from parsers.inversion.documents import assign_document
from parsers.inversion.formats import one_verb
from parsers.inversion.functions import call, printed
from parsers.inversion.patterns import UPPER, alphabet, length
from parsers.inversion.state import REPLACEMENT, SHORT_ID, State, agree, assign, check, constant, suppose
from parsers.inversion.term_shapes import shape
from parsers.inversion.terms import (
    NO_VALUE,
    NOTHING,
    UNKNOWN,
    UNSAID,
    Call,
    Concat,
    Const,
    Fact,
    Lookup,
    Opaque,
    Term,
    Whole,
    evaluate,
    kind,
)

Undo = Callable[[State, tuple[Term, ...], bytes], State | None]


def bind(state: State, term: Term, text: bytes) -> State | None:
    """The state in which `term` printed `text`; None when it cannot have."""
    try:
        known = evaluate(term, state.facts)
    except TemplateError:
        return None
    if known is not UNKNOWN:
        return state if agree(printed(known), text) else None
    match term:
        case Fact(name):
            return assign(state, name, text)
        case Lookup():
            return _lookup(state, term, text)
        case Whole(name, "time"):
            return assign(state, name, text)
        case Call(function, arguments) if function in _UNDO:
            return _UNDO[function](state, arguments, text)
        case Concat(parts):
            return _concat(state, parts, text)
        case Opaque():
            return state
    return check(state, term, text)


def _lookup(state: State, term: Lookup, text: bytes) -> State | None:
    if text != term.missing or (text and state.guards.get(term)):
        return assign(state, term.name, text)
    return assign(state, term.name, UNSAID if text else NOTHING)


def _concat(state: State, parts: tuple[Term, ...], text: bytes) -> State | None:
    """Parts of a known length are taken off both ends; when one is left, it printed the rest."""
    left: State | None = state
    rest = list(parts)
    for end in (0, -1):
        while left is not None and len(rest) > 1:
            size = _size(rest[end], left)
            if size is None:
                break
            if size > len(text):
                return None
            cut = size if end == 0 else len(text) - size
            piece, text_left = (text[:cut], text[cut:]) if end == 0 else (text[cut:], text[:cut])
            left, text = bind(left, rest.pop(end), piece), text_left
    if left is None:
        return None
    return bind(left, rest[0], text) if len(rest) == 1 else check(left, Concat(tuple(rest)), text)


def _size(term: Term, state: State) -> int | None:
    try:
        known = evaluate(term, state.facts)
    except TemplateError:
        return None
    if known is not UNKNOWN:
        return len(printed(known))
    least, most = length(shape(term))
    return least if least == most else None


def decide(state: State, condition: Term, truth: bool) -> State | None:
    """The state in which a condition is true (or false); an equation that holds tells the fact itself."""
    if isinstance(condition, Call) and condition.function == "not":
        return decide(state, condition.arguments[0], not truth)
    supposed = suppose(state, condition, truth)
    if supposed is None or not isinstance(condition, Call) or len(condition.arguments) != 2:
        return supposed
    if (condition.function, truth) not in (("eq", True), ("ne", False)):
        return supposed
    one, other = condition.arguments
    text = constant(other)
    if text is None:
        one, other, text = other, one, constant(one)
    if text is None:
        return supposed
    if isinstance(one, Lookup) and one.missing == NO_VALUE:
        return assign(supposed, one.name, text)  # no value equals no text
    return bind(supposed, one, text)


def _case(function: str) -> Undo:
    def undo(state: State, arguments: tuple[Term, ...], text: bytes) -> State | None:
        inner = arguments[0]
        if call(function, [text]) != text:
            return None
        if REPLACEMENT not in text:
            low = call("lower", [text])
            if low == call("upper", [text]):
                return bind(state, inner, text)  # no letter that has cases
            if not alphabet(shape(inner)) & UPPER:
                return bind(state, inner, low)
        return check(state, Call(function, arguments), text)

    return undo


def _truncate(state: State, arguments: tuple[Term, ...], text: bytes) -> State | None:
    inner, size = arguments[0], _int(arguments[1])
    if size is None:
        return check(state, Call("truncate", arguments), text)
    if len(text) > size:
        return check(state, Call("truncate", arguments), text) if REPLACEMENT in text else None
    return _beginning(state, Call("truncate", arguments), inner, text, len(text) < size)


def _slice(state: State, arguments: tuple[Term, ...], text: bytes) -> State | None:
    whole = Call("slice", arguments)
    bounds = [_int(argument) for argument in arguments[1:]]
    if any(bounds[:1]) or None in bounds or len(bounds) > 2:
        return check(state, whole, text)
    if len(bounds) < 2:
        return bind(state, arguments[0], text)
    if len(text) != bounds[1]:
        return check(state, whole, text) if REPLACEMENT in text else None
    return _beginning(state, whole, arguments[0], text, False)


def _beginning(state: State, whole: Call, inner: Term, text: bytes, complete: bool) -> State | None:
    """`text` is the beginning of what `inner` prints, or all of it."""
    longest = length(shape(inner))[1]
    if complete or (longest is not None and len(text) >= longest):
        return bind(state, inner, text)
    state = check(state, whole, text)
    if inner == Fact("FullID") and len(text) >= SHORT_ID:
        return assign(state, "ID", text[:SHORT_ID])
    return state


def _pad(state: State, arguments: tuple[Term, ...], text: bytes) -> State | None:
    inner, before, after = arguments[0], _int(arguments[1]), _int(arguments[2])
    if before is None or after is None:
        return check(state, Call("pad", arguments), text)
    if not text:
        return bind(state, inner, text)
    unpadded = text[before : len(text) - after]
    if not unpadded or text != b" " * before + unpadded + b" " * after:
        return None
    return bind(state, inner, unpadded)


def _join(state: State, arguments: tuple[Term, ...], text: bytes) -> State | None:
    """`join (split x a) b`: x with every a replaced by b, undone where no b can have been there before."""
    whole = Call("join", arguments)
    parts, new = arguments[0], constant(arguments[1])
    if not isinstance(parts, Call) or parts.function != "split" or not new:
        return check(state, whole, text)
    inner, old = parts.arguments[0], constant(parts.arguments[1])
    if not old:
        return check(state, whole, text)
    if set(new) - alphabet(shape(inner)) or new not in text:
        found = bind(state, inner, text.replace(new, old))
        return None if found is None else check(found, whole, text)
    return check(state, whole, text)


def _json(state: State, arguments: tuple[Term, ...], text: bytes) -> State | None:
    inner = arguments[0]
    whole = Call("json", arguments)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if isinstance(inner, Whole):
        found = assign_document(state, inner, value)
    elif isinstance(inner, Call) and inner.function == "split" and _are_texts(value):
        found = _unsplit(state, whole, inner, [part.encode() for part in value], text)
    elif isinstance(value, str):
        said = value.encode()
        if b"\\ufffd" in text:  # half a rune
            return check(state, whole, text)
        if call("json", [said]) != text:
            return None
        found = check(state, whole, text) if REPLACEMENT in said else bind(state, inner, said)
    else:
        found = check(state, whole, text)
    return found


def _printf(state: State, arguments: tuple[Term, ...], text: bytes) -> State | None:
    whole = Call("printf", arguments)
    verb = one_verb(constant(arguments[0]) or b"") if len(arguments) == 2 else None
    inner = arguments[-1]
    if verb is None or kind(inner) != "string":
        return check(state, whole, text)
    said = verb.undo(text, alphabet(shape(inner)))
    if said is None:
        return _beginning(state, whole, inner, text, False) if verb.cuts else check(state, whole, text)
    found = bind(state, inner, said)
    return None if found is None else check(found, whole, text)


def _int(term: Term) -> int | None:
    return term.value if isinstance(term, Const) and isinstance(term.value, int) else None


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _unsplit(state: State, whole: Call, split: Call, parts: list[bytes], text: bytes) -> State | None:
    """The text that was split into these parts."""
    separator = constant(split.arguments[1])
    if separator is None or REPLACEMENT in text:
        return check(state, whole, text)
    found = bind(state, split.arguments[0], separator.join(parts))
    return None if found is None else check(found, whole, text)


def _split(state: State, arguments: tuple[Term, ...], text: bytes) -> State | None:
    whole = Call("split", arguments)
    if b" "[0] in alphabet(shape(arguments[0])) or b" " in (constant(arguments[1]) or b" "):
        return check(state, whole, text)
    return _unsplit(state, whole, whole, text[1:-1].split(b" "), text)


def _escaped(function: str, undone: Callable[[bytes], bytes]) -> Undo:
    """html, js, urlquery: no two texts are escaped alike."""

    def undo(state: State, arguments: tuple[Term, ...], text: bytes) -> State | None:
        whole = Call(function, arguments)
        if len(arguments) != 1 or kind(arguments[0]) != "string" or REPLACEMENT in text:
            return check(state, whole, text)
        said = undone(text)
        if call(function, [said]) != text:
            return check(state, whole, text)
        return bind(state, arguments[0], said)

    return undo


def _print(state: State, arguments: tuple[Term, ...], text: bytes) -> State | None:
    return bind(state, arguments[0], text)


_UNDO: Final[dict[str, Undo]] = {
    "print": _print,
    "split": _split,
    "html": _escaped("html", lambda text: unescape(text.decode("utf-8", "replace")).encode()),
    "js": _escaped("js", lambda text: text),
    "urlquery": _escaped("urlquery", lambda text: unquote_to_bytes(text.replace(b"+", b" "))),
    "lower": _case("lower"),
    "upper": _case("upper"),
    "title": _case("title"),
    "truncate": _truncate,
    "slice": _slice,
    "pad": _pad,
    "join": _join,
    "json": _json,
    "printf": _printf,
}
