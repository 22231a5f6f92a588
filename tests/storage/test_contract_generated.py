"""What every store does alike, part 6: questions that a seeded generator makes up, pages of lines and counts.

The memory store is the judge. The short form always asks the same questions, the long one others every time;
`LOGDOCK_QUESTION_SEED` repeats a run whose seed the message of a failure has.
"""

# ruff: noqa: RUF001 - letters that look like others are the point

import json
import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from parsers.event import Event
from storage.by import By, parse_by
from storage.grammar import parse
from storage.grid import MINUTE
from storage.memory import MemoryStore
from storage.query import ContainerRef, Query
from storage.store import Store
from tests.storage.contract import Subject, answered_alike
from tests.storage.factories import FULL_ID, ORIGIN, SECOND, TIME, after, event, everything, origin

SEED = 20_261_124
SHORT, LONG = 2_000, 20_000  # questions of one store
LINES = 400

API = origin(
    "api-1", "fe" * 32, service="api", host="node-b", labels={"team": "b", "env": ""}, tag="docker.api"
)
LIFE2 = origin(
    "shop-web-1", "77" * 32, labels={"team": "a", "note": "n" * 1100}, tag="docker.web.777777777777"
)
LOOSE = origin("loose", None, service=None, image=None)
ORIGINS = (ORIGIN, API, LIFE2, LOOSE)

WORDS = (
    "timeout", "Timeout", "timed out", "GET", "POST", "/api/users/42", "/healthz", "HTTP/1.1", "502", "200",
    "5", "connection", "refused", "İstanbul", "istanbul", "Straße", "ΣΊΣΥΦΟΣ", "naïve", "世界", "10.0.0.1",
    "db-1:5432", "snake_case", "kebab-case", "don't", "(main)", "a\tb", "x\ny", "[ok]", "100%", "C:\\temp",
    "\U0001f680", "K", "ſ", "error", "i", "e", "needle",
)  # fmt: skip
PATHS = ("status", "took", "path", "user.name", "user.roles", "a.b.c", "ok", "n", "text", "missing")
VALUES: dict[str, list[Any]] = {
    "status": [200, 404, 502, "502", 502.0, None, ""],
    "took": [0.25, 1.5, 12, "1.50", -3, 1e16, 2**70],
    "path": ["/api/users/42", "/healthz", "C:\\temp", "/API/users"],
    "user": [{"name": "Ada Byron", "roles": ["admin", "Ops"]}, {"name": "bob"}, {"name": None, "roles": []}],
    "a.b": [{"c": "deep"}, {"c": "DEEP"}],
    "ok": [True, False, "true"],
    "n": list(range(12)),
    "text": ["two words", "İstanbul", "Kelvin", "x" * 1100, "\U0001f680" * 600, 'say "hi"', "a\0b"],
}
WRITTEN = (
    '{"took":1.50,"status":2e2}',
    '{ "took": 15e-1, "text": "\\u0130" }', '{"status":502.00,"n":-0,"ok":true}',
    '{"user":{"name":"Ada\\u0020Byron","roles":["Ops","Ops"]},"took":1.5E+0}',
)  # fmt: skip
NAMES = (
    "level", "service", "container", "host", "stream", "tag", "label.team", "label.env", "label.note",
    "status", "took", "user.name", "user.roles", "a.b.c", "ok", "n", "text", "missing",
)  # fmt: skip


def lines(random_: random.Random) -> list[Event]:
    """Lines of some minutes, with a gap, equal times and a few that no clock has."""

    def one(number: int) -> Event:
        message = " ".join(random_.choices(WORDS, k=random_.randint(0, 6)))
        fields = {key: random_.choice(values) for key, values in VALUES.items() if random_.random() < 0.3}
        later = random_.choice([0, 0, 7_200]) + random_.randint(0, 900)
        time = TIME + later * SECOND + random_.choice([0, 0, 1, -1, random_.randint(0, SECOND)])
        if number % 97 == 0:
            time = random_.choice([-5, 0, 61 * SECOND, TIME // MINUTE * MINUTE, 2**62])
        if number % 11 == 0:  # numbers in other spellings than their values
            message = random_.choice(WRITTEN)
            fields = json.loads(message)
        return event(
            number,
            message,
            json_line=number % 11 == 0,
            timestamp=time,
            origin=random_.choice(ORIGINS),
            fields=fields if number % 11 == 0 else random_.choice([fields, None]),
            level=random_.choice([None, "info", "warn", "error"]),
            stream=random_.choice(["stdout", "stderr", None]),
        )

    return [one(number) for number in range(LINES)]


class Questions:
    """Makes up questions as people write them."""

    def __init__(self, random_: random.Random) -> None:
        self._random = random_

    def q(self, depth: int = 0) -> str:
        """Text of `q` that parses."""
        parts: list[Callable[[], str]] = [
            self._word,
            self._word,
            self._phrase,
            self._field,
            self._field,
            self._regex,
        ]
        if depth < 2:
            parts += [
                lambda: f"({self.q(depth + 1)} OR {self.q(depth + 1)})",
                lambda: f"({self.q(depth + 1)})",
                lambda: f"-({self.q(depth + 1)})",
            ]
        terms = [self._random.choice(parts)() for _ in range(self._random.choice([1, 1, 2, 3]))]
        terms = [("-" if self._random.random() < 0.2 and term[0] != "-" else "") + term for term in terms]
        return self._random.choice([" ", " ", " AND ", " OR "]).join(terms)

    def _word(self) -> str:
        word = self._random.choice(WORDS)
        if self._random.random() < 0.4:  # a part of it
            start = self._random.randrange(len(word))
            word = word[start : start + self._random.randint(1, 6)]
        return _quoted(self._random.choice([word, word.lower(), word.upper()]))

    def _phrase(self) -> str:
        return _quoted(" ".join(self._random.choices(WORDS, k=2)))

    def _field(self) -> str:
        path = self._random.choice(PATHS)
        kind = self._random.choice(["is", "is", "begins", "any", "compares"])
        if kind == "any":
            return f"{path}:*"
        if kind == "compares":
            sign = self._random.choice([">", ">=", "<", "<="])
            return f"{path}:{sign}{self._random.choice(['0', '1.5', '200', '502', '-3', '1e3', str(2**70)])}"
        found = self._random.choice(VALUES.get(path, ["Ada Byron", "admin", "deep", "bob"]))
        text = found if isinstance(found, str) else str(found).lower()
        if kind == "begins":
            return f"{path}:{_quoted(text[: self._random.randint(1, 4)])}*"
        return f"{path}:{_quoted(self._random.choice([text, text.upper()]))}"

    def _regex(self) -> str:
        return self._random.choice(
            [
                "/^get/",
                "/time(d |)out/",
                "/[0-9]{3}$/",
                "/\\bi/",
                "/\\/api\\/.*4/",
                "/世+/",
                "/^$/",
                "/needle|OK/",
                "/./",
            ]
        )

    def query(self) -> Query:
        """Any filters, order and size of a page."""
        pick, some = self._random.choice, self._some
        times = [
            None,
            None,
            *(TIME + n * SECOND for n in (-1, 0, 61, 300, 900, 7_300)),
            TIME // MINUTE * MINUTE,
        ]
        since, until = pick(times), pick(times)
        if since is not None and until is not None and since > until:
            since, until = until, since
        containers = (ContainerRef(id=FULL_ID), ContainerRef(name="shop-web-1"), ContainerRef(name="loose"))
        return Query(
            containers=some(containers),
            services=some(("web", "api", "none")),
            hosts=some(("node-a", "node-b")),
            streams=some(("stdout", "stderr")),
            levels=some(("info", "warn", "error")),
            labels=some((("team", None), ("team", "b"), ("note", "n" * 1100), ("env", ""))),
            tag=pick([None] * 6 + ["docker.*", "docker.api", "*"]),
            text=parse(self.q()) if self._random.random() < 0.8 else None,
            since=since,
            until=until,
            limit=pick([7, 60, 1000]),
            order=pick(["asc", "desc"]),
        )

    def by(self) -> By:
        return parse_by("by", self._random.choice(NAMES))

    def _some(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Mostly none of them: filters must all hold."""
        return tuple(self._random.sample(values, self._random.choice([0] * 8 + [1, 2])))

    def ask(self) -> Callable[[Store], Any]:
        """One question that any store can be asked."""
        query, by = self.query(), self.by()
        kind = self._random.choice(["search", "search", "histogram", "facets"])
        if kind == "search":
            return _Named(f"search {query}", lambda store: everything(store, query))
        if kind == "histogram":
            buckets, parted = self._random.choice([1, 5, 60, 300]), self._random.choice([by, by, None])
            name = f"histogram {parted} {buckets} {query}"
            return _Named(name, lambda store: store.histogram(query, parted, buckets))
        limit = self._random.choice([1, 5, 100])
        return _Named(f"facets {by} {limit} {query}", lambda store: store.facets(query, by, limit))


class _Named:
    def __init__(self, name: str, ask: Callable[[Store], Any]) -> None:
        self._name, self._ask = name, ask

    def __call__(self, store: Store) -> Any:
        return self._ask(store)

    def __repr__(self) -> str:
        return self._name


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


async def compared(subject: Subject, seed: int, count: int) -> None:
    """Ask the store and the judge the same questions."""
    random_ = random.Random(seed)
    stored = lines(random_)
    asked = [Questions(random_).ask() for _ in range(count)]
    await answered_alike(subject, stored, asked, f"seed {seed}")


async def test_generated_questions(subject: Subject) -> None:
    await compared(subject, int(os.environ.get("LOGDOCK_QUESTION_SEED", SEED)), SHORT)


@pytest.mark.soak
async def test_many_generated_questions(subject: Subject) -> None:
    seed = int(os.environ.get("LOGDOCK_QUESTION_SEED", random.randrange(2**32)))
    print(f"seed {seed}")
    await compared(subject, seed, LONG)


async def test_generated_questions_have_answers() -> None:
    """Else stores would be compared in saying nothing."""
    random_ = random.Random(SEED)
    stored, judge = lines(random_), MemoryStore()
    await judge.append(stored, after(stored))
    queries = [Questions(random_).query() for _ in range(300)]
    answers = [len(await everything(judge, replace(query, limit=1000))) for query in queries]
    assert 100 < sum(answer > 0 for answer in answers) < 290
    assert sum(answer == LINES for answer in answers) < 30
