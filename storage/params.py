"""Single parameters of a question: text in, values out, QueryErrors that say what is allowed.

The parser of a whole question is Query.from_params.
"""

import difflib
import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from parsers.event import LEVELS
from storage import times
from storage.errors import QueryError

REPEATABLE = ("container", "service", "host", "stream", "level", "label")
SINGLE = ("tag", "q", "since", "until", "limit", "order", "cursor")
PARAMETERS = REPEATABLE + SINGLE
ORDERS = ("desc", "asc")
STREAMS = ("stdout", "stderr")

DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000  # a page is held in memory as a whole; more pages cost only another request

MAX_VALUES = 1000  # of one question: every store tests each of them, and they arrive in one request line
MAX_VALUE = 8192  # characters of one value: longer than any name, label or `q` that is taken

T = TypeVar("T")
Values = dict[str, list[str]]


def collect(params: Iterable[tuple[str, str]]) -> Values:
    """Values by parameter name. Raises QueryError for unknown, empty, repeated single and too many ones."""
    values: Values = {}
    for count, (name, value) in enumerate(params, 1):
        if name not in PARAMETERS:
            raise unknown(name)
        if not value.strip():
            raise QueryError(name, "is empty: give it a value or leave it away")
        if len(value) > MAX_VALUE or count > MAX_VALUES:
            raise QueryError(name, f"too much: at most {MAX_VALUES} values of {MAX_VALUE} characters")
        values.setdefault(name, []).append(value)
    for name in SINGLE:
        if len(values.get(name, ())) > 1:
            raise QueryError(name, "is given more than once")
    return values


def unknown(name: str, allowed: Sequence[str] = PARAMETERS) -> QueryError:
    """The error for a parameter that does not exist, with the nearest that does."""
    message = f"no such parameter{_did_you_mean(name, allowed)}; known are {', '.join(allowed)}"
    return QueryError(name, message, "unknown_parameter")


def one_of(name: str, text: str, allowed: Sequence[str]) -> str:
    """`text` when it is one of the allowed words, in any case. Raises QueryError."""
    word = text.lower()
    if word in allowed:
        return word
    raise QueryError(name, f"{text!r} is none of {', '.join(allowed)}{_did_you_mean(word, allowed)}")


def level(text: str) -> str:
    """One of LEVELS."""
    return one_of("level", text, LEVELS)


def stream(text: str) -> str:
    """One of STREAMS."""
    return one_of("stream", text, STREAMS)


def label(text: str) -> tuple[str, str | None]:
    """`key=value` (the value may be empty or have more =), or `key` alone: has it."""
    key, equals, value = text.partition("=")
    if not key:
        raise QueryError("label", f"{text!r} has no key: write key=value, or key alone for any value")
    return key, value if equals else None


def asked_label(text: str) -> tuple[str, str | None]:
    """The label of a question, where `key=` too means: has it. Not for a prune, which would take more."""
    key, value = label(text)
    return key, value or None


def limit(text: str) -> int:
    """How many events at most."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_LIMIT):
        raise QueryError("limit", f"{text!r} is not a whole number from 1 to {MAX_LIMIT}")
    return int(text)


def time(name: str, text: str, now: int) -> int:
    """Nanoseconds since the epoch."""
    try:
        return times.parse_time(text, now)
    except ValueError as error:
        raise QueryError(name, str(error)) from error


def fingerprint(values: Values) -> str:
    """Equal for the pages of one question: its parameters but for their order, the limit and the cursor."""
    rest = sorted((name, sorted(given)) for name, given in values.items() if name not in ("limit", "cursor"))
    rest = [(name, given) for name, given in rest if (name, given) != ("order", [ORDERS[0]])]
    return hashlib.blake2b(repr(rest).encode(), digest_size=8).hexdigest()


def each(values: Values, name: str, read: Callable[[str], T]) -> tuple[T, ...]:
    """Every value of a repeatable parameter, read, without repetitions."""
    return tuple(dict.fromkeys(map(read, values.get(name, ()))))


def single(values: Values, name: str, read: Callable[[str], T]) -> T | None:
    """The value of a single parameter, read; None when it is not given."""
    given = values.get(name)
    return read(given[0]) if given else None


def _did_you_mean(word: str, allowed: Sequence[str]) -> str:
    near = difflib.get_close_matches(word.lower(), allowed, n=1, cutoff=0.5)
    return f": did you mean {near[0]}?" if near else ""
