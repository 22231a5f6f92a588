"""What a template prints, as expressions over facts: the values of one container's log info.

A fact has the name under which it is told: `Name`, `FullID`, `ContainerLabels.com.docker.compose.service`.
Texts are bytes, as Go strings are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from parsers.go.quoting import quote
from parsers.go.values import NO_VALUE as NONE
from parsers.gotemplate import TemplateError
from parsers.inversion.functions import call, printed

NO_VALUE: Final = b"<no value>"  # what Go prints for a key that a map does not have (text/template exec.go)


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


class _Nothing:
    def __repr__(self) -> str:
        return "NOTHING"


class _Unsaid:
    def __repr__(self) -> str:
        return "UNSAID"


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


ABSENT: Final = _Absent()  # the map has no such key
NOTHING: Final = _Nothing()  # no such key, or an empty value: `index` prints both alike
UNSAID: Final = _Unsaid()  # no such key, or the very text that Go prints for none
UNKNOWN: Final = _Unknown()

FactValue = bytes | _Absent | _Nothing | _Unsaid
Facts = Mapping[str, FactValue]


class Const(msgspec.Struct, frozen=True):
    """A value that is the same for every container: bytes, int, bool, float, None or a tuple of such."""

    value: Any


class Fact(msgspec.Struct, frozen=True):
    """A string of the container's."""

    name: str


class Lookup(msgspec.Struct, frozen=True):
    """An entry of one of the container's maps: a Fact that may be absent, and then prints as `missing`.

    As b"" it is a string nevertheless (`index`), as NO_VALUE no value at all (a field); None: it is there.
    """

    map: str
    key: bytes
    missing: bytes | None

    @property
    def name(self) -> str:
        return f"{self.map}.{self.key.decode('utf-8', 'replace')}"


class Has(msgspec.Struct, frozen=True):
    """Whether the container's map has the entry."""

    entry: Lookup


class Whole(msgspec.Struct, frozen=True):
    """A map, a list or a time of the container's, or (name "") all of its log info."""

    name: str
    kind: str  # "map", "list", "time" or "info"


class Call(msgspec.Struct, frozen=True):
    """A template function of terms. Not all of the arguments are constants."""

    function: str
    arguments: tuple[Term, ...]


class Concat(msgspec.Struct, frozen=True):
    """Strings one after another."""

    parts: tuple[Term, ...]


class Choice(msgspec.Struct, frozen=True):
    """One term or another, as a condition (its truth) decides."""

    condition: Term
    then: Term
    other: Term


class Opaque(msgspec.Struct, frozen=True):
    """A value that is not followed: an element of a loop, say."""

    number: int


Term = Const | Fact | Lookup | Has | Whole | Call | Concat | Choice | Opaque

_BOOLS = frozenset(("eq", "ne", "lt", "le", "gt", "ge", "not", "truth"))
_STRINGS = frozenset(
    (
        "lower", "upper", "title", "truncate", "pad", "json", "join", "print", "println", "printf",
        "html", "js", "urlquery",
    )
)  # fmt: skip


def kind(term: Term) -> str:
    """The Go type of a term as far as it matters: string, bool, int, list, map, time, info or any."""
    match term:
        case Const(value):
            return {bytes: "string", bool: "bool", int: "int", tuple: "list"}.get(type(value), "any")
        case Fact() | Lookup() | Concat():
            return "string"
        case Has():
            return "bool"
        case Whole():
            return term.kind
        case Choice():
            kinds = {kind(term.then), kind(term.other)}
            return kinds.pop() if len(kinds) == 1 else "any"
        case Call():
            return _kind_of_call(term)
        case Opaque():
            return "any"


def _kind_of_call(term: Call) -> str:
    if term.function in _BOOLS:
        return "bool"
    if term.function in _STRINGS:
        return "string"
    if term.function == "slice":
        return kind(term.arguments[0])
    if term.function == "index" and kind(term.arguments[0]) == "list":
        return "string"
    return {"split": "list", "len": "int"}.get(term.function, "any")


def parts(term: Term) -> Iterator[Term]:
    """The term and all terms in it."""
    yield term
    match term:
        case Call(_, inner) | Concat(inner):
            for part in inner:
                yield from parts(part)
        case Choice(condition, then, other):
            for part in (condition, then, other):
                yield from parts(part)
        case Has(entry):
            yield entry


def is_followed(term: Term) -> bool:
    """Whether facts alone decide the term's value."""
    return not any(isinstance(part, Opaque) for part in parts(term))


def evaluate(term: Term, facts: Facts) -> Any:
    """The term's value, or UNKNOWN when a fact that it needs is. Raises TemplateError as Go would fail."""
    match term:
        case Const(value):
            return value
        case Fact(name):
            return facts.get(name, UNKNOWN)
        case Lookup(_, _, missing):
            return _entry(facts.get(term.name, UNKNOWN), missing)
        case Has(entry):
            found = facts.get(entry.name)
            return isinstance(found, bytes) if isinstance(found, bytes | _Absent) else UNKNOWN
        case Concat(inner):
            values = [evaluate(part, facts) for part in inner]
            return UNKNOWN if UNKNOWN in values else b"".join(map(printed, values))
        case Choice(condition, then, other):
            decided = truth_of(evaluate(condition, facts))
            return UNKNOWN if decided is None else evaluate(then if decided else other, facts)
        case Call(function, arguments):
            values = [evaluate(argument, facts) for argument in arguments]
            return UNKNOWN if any(value is UNKNOWN for value in values) else call(function, values)
    return UNKNOWN


def _entry(found: FactValue | _Unknown, missing: bytes | None) -> Any:
    """The value of an entry. NOTHING, no entry or an empty one, is only the same where both print alike."""
    if isinstance(found, bytes):
        return found
    if missing == b"" and (found is ABSENT or found is NOTHING):
        return b""
    return NONE if found is ABSENT and missing == NO_VALUE else UNKNOWN


def truth_of(value: Any) -> bool | None:
    """Go's truth of a value (text/template exec.go, IsTrue), None for UNKNOWN."""
    return None if value is UNKNOWN else bool(value)


def holds(term: Term, facts: Facts) -> bool | None:
    """The truth of a condition; None when the facts leave it open. A failing one holds in no container."""
    try:
        return truth_of(evaluate(term, facts))
    except TemplateError:
        return None


def show(term: Term) -> str:
    """The term as a template would write it."""
    match term:
        case Const(value):
            return '"' + value.decode("utf-8", "replace") + '"' if isinstance(value, bytes) else str(value)
        case Has(entry):
            return f"has {show(entry)}"
        case Lookup(name, key, missing) if missing != b"":
            return f"{_shown_map(name)}.{key.decode('utf-8', 'replace')}"
        case Lookup(name, key):
            return f"(index {_shown_map(name)} {quote(key).decode('utf-8', 'replace')})"
        case Fact(name) | Whole(name):
            return f".{name}"
        case Call(function, arguments):
            return " ".join([function, *(_shown_argument(argument) for argument in arguments)])
        case Concat(inner):
            return " ".join(["print", *map(_shown_argument, inner)])
        case Choice(condition, then, other):
            return f"if {show(condition)} then {show(then)} else {show(other)}"
        case Opaque():
            return "..."


def _shown_map(name: str) -> str:
    return "(.ExtraAttributes nil)" if name == "ExtraAttributes" else f".{name}"


def _shown_argument(term: Term) -> str:
    return f"({show(term)})" if isinstance(term, Call | Concat | Choice) else show(term)
