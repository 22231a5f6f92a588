"""What every store does alike, part 7: odd lines, and questions made of pieces of them, as text.

As in part 6 a seeded generator asks and the memory store judges; here questions go through the parser, and
that it means what `grep -i` means is asked of grep itself.
"""

# ruff: noqa: RUF001, RUF002 - letters that look like others are the point

import json
import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from parsers.event import Event
from storage.by import parse_by
from storage.expression import quote, select
from storage.grammar import parse
from storage.query import Query, QueryError
from storage.store import Store
from tests.storage.contract import Subject, answered_alike
from tests.storage.factories import ORIGIN, SECOND, TIME, event, everything, origin
from tests.storage.oddities import (
    ASKED_LABELS,
    BOUNDS,
    KEYS,
    LABELS,
    NAMES,
    PATHS,
    REGEXES,
    TAGS,
    TOKENS,
    VALUES,
)

SEED = 20_261_125
SHORT, LONG = 200, 5_000  # questions of one store
LINES = 600
NOW = TIME + 100_000 * SECOND
MOMENTS = (0, 1, 2, 60, 3600, 86_400, 90_000)  # seconds after TIME

ORIGINS = (
    ORIGIN,
    origin("api-1", "fe" * 32, service="api", host="node-b", labels=LABELS, tag="docker.api"),
    origin("shop-web-1", "77" * 32, labels={"team": "a", "a": "1", "a.b": "2"}, tag="docker.web.7777"),
    origin("loose", None, service=None, image=None),
    origin(None, None, service=None, image=None, host="10.0.0.9", tag="t" * 1500),
    origin("Ünï/ço:1", "ab" * 32, service="Sérvice", tag="*"),
)


def lines(random_: random.Random) -> list[Event]:
    """Odd lines at few times."""

    def message() -> str:
        between = random_.choice(["", " ", " ", "  ", "-"])
        return between.join(random_.choices(TOKENS, k=random_.choice([0, 1, 1, 2, 3, 5, 8])))

    def one(number: int) -> Event:
        text, fields, json_line = message(), None, False
        if random_.random() < 0.65:
            fields = {
                random_.choice(KEYS): random_.choice(VALUES) for _ in range(random_.choice([0, 1, 2, 4]))
            }
        if fields is not None and random_.random() < 0.3:
            text, json_line = json.dumps(fields, ensure_ascii=random_.random() < 0.5), True
            fields = json.loads(text)
        time = TIME + random_.choice(MOMENTS) * SECOND + random_.choice([0, 0, 0, 1, -1, SECOND - 1])
        if random_.random() < 0.01:
            time = random_.choice([0, -1, 1, 2 - 2**63, 2**63 - 3, 2**62])
        return event(
            number,
            text,
            json_line=json_line,
            timestamp=time,
            origin=random_.choice(ORIGINS),
            fields=fields,
            level=random_.choice([None, "info", "warn", "error"]),
            stream=random_.choice(["stdout", "stderr", None]),
        )

    return [one(number) for number in range(LINES)]


class Asker:
    """Makes up parameters, mostly out of what stands in the lines."""

    def __init__(self, random_: random.Random, stored: Sequence[Event]) -> None:
        self._random, self._pick, self._stored = random_, random_.choice, stored

    def piece(self) -> str:
        """A part of a message, in some case."""
        message = self._pick(self._stored).message or "x"
        start = self._random.randrange(len(message))
        text = message[start : start + self._pick([1, 1, 2, 3, 4, 6, 10, 20, 40])]
        return self._pick([text, text, text.upper(), text.lower(), text.swapcase(), text.title()])

    def q(self, depth: int = 0) -> str:
        """Text of `q`, which may also be one that does not parse."""
        terms = [
            self._pick(["", "", "", "-"]) + self._term(depth) for _ in range(self._pick([1, 1, 1, 2, 3]))
        ]
        return self._pick([" ", " ", " OR ", " AND "]).join(terms)

    def _term(self, depth: int) -> str:
        kind = self._random.random()
        if kind < 0.35:
            return quote(self.piece()) + self._pick(["", "", "*"])
        if kind < 0.5:
            return self.piece() + self._pick(["", "", "*"])
        if kind < 0.75:
            return f"{self._pick(PATHS)}:{self._value()}"
        if kind < 0.85:
            return f"/{self._pick(REGEXES)}/"
        return quote(self.piece()) if depth > 2 else self._pick(["({})", "-({})"]).format(self.q(depth + 1))

    def _value(self) -> str:
        found = self._pick([value for value in VALUES if not isinstance(value, list | dict)])
        text = found if isinstance(found, str) else json.dumps(found)
        text = self._pick([text, text.upper(), text[: self._random.randint(0, 4)]])
        compared = self._pick([">", ">=", "<", "<="]) + self._pick(BOUNDS)
        return self._pick([quote(text), quote(text) + "*", text, text + "*", "*", compared])

    def _some(self, name: str, values: Sequence[str]) -> list[tuple[str, str]]:
        return [(name, text) for text in self._random.sample(values, self._pick([0] * 8 + [1, 2]))]

    def params(self) -> list[tuple[str, str]]:
        """A question as a client asks it."""
        params = [("q", self.q())] if self._random.random() < 0.8 else []
        params += self._some("service", ("web", "api", "Sérvice", "none", "WEB"))
        params += self._some("host", ("node-a", "node-b", "10.0.0.9", "none"))
        params += self._some("stream", ("stdout", "STDERR")) + self._some("level", ("info", "Error", "fatal"))
        params += self._some("label", ASKED_LABELS) + self._some("tag", TAGS)[:1]
        for name, others in (("since", ("0", "-1", "1970-01-01")), ("until", ("2262-01-01", "2300-01-01"))):
            moments = [f"{TIME // SECOND + n}.{TIME % SECOND:09d}" for n in MOMENTS]
            params += self._some(name, (*moments, *others))[:1]
        limit = str(self._pick([1, 3, 50, 1000, 10_000]))
        return [*params, ("limit", limit), ("order", self._pick(["asc", "desc"]))]

    def ask(self) -> "Asked | None":
        """A question that any store can be asked; None for one that is refused."""
        params = self.params()
        try:
            query = Query.from_params(params, NOW)
        except QueryError:
            return None
        kind = self._pick(["search", "search", "histogram", "facets"])
        return Asked(kind, query, self._pick(NAMES), self._pick([1, 2, 5, 60, 1000]), params)


class Asked:
    """One question. `number`: of buckets or values."""

    def __init__(self, kind: str, query: Query, name: str, number: int, params: Any) -> None:
        self._kind, self._query, self._by, self._number = kind, query, parse_by("by", name), number
        self._told = f"{kind} {name} {number} {params!a}"

    def __repr__(self) -> str:
        return self._told

    async def __call__(self, store: Store) -> Any:
        if self._kind == "search":
            return await everything(store, self._query)
        if self._kind == "histogram":
            return await store.histogram(self._query, self._by, self._number)
        return await store.facets(self._query, self._by, self._number)


async def compared(subject: Subject, seed: int, count: int) -> None:
    random_ = random.Random(seed)
    stored = lines(random_)
    made = [Asker(random_, stored).ask() for _ in range(count)]
    asked = [question for question in made if question is not None]
    assert len(asked) > 0.8 * count
    await answered_alike(subject, stored, asked, f"seed {seed}")


async def test_odd_questions(subject: Subject) -> None:
    await compared(subject, int(os.environ.get("LOGDOCK_QUESTION_SEED", SEED)), SHORT)


@pytest.mark.soak
async def test_many_odd_questions(subject: Subject) -> None:
    seed = int(os.environ.get("LOGDOCK_QUESTION_SEED", random.randrange(2**32)))
    print(f"seed {seed}")
    await compared(subject, seed, LONG)


def test_texts_mean_what_grep_means(tmp_path: Path) -> None:
    """But for ß and ẞ, i and ı: see storage/folding.py. grep reads lines, and no NUL in a pattern."""
    random_ = random.Random(SEED)
    stored = [line for line in lines(random_) if line.message and not set(line.message) & set("\n\0ßẞıİ")]
    file = tmp_path / "lines"
    file.write_bytes(b"".join(line.message.encode() + b"\n" for line in stored))
    asker, hits = Asker(random_, stored), 0
    for _ in range(150):
        text = asker.piece()
        if set(text) & set("\nßẞıİ"):  # another case of a letter may be one of them
            continue
        grep = subprocess.run(
            ["grep", "-inaF", "-e", text, file], capture_output=True, check=False,
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        wanted = [int(found.partition(b":")[0]) - 1 for found in grep.stdout.split(b"\n") if found]
        found = select(parse(quote(text)), stored)
        assert found == [stored[number] for number in wanted], ascii(text)
        hits += len(found)
    assert hits > 1000
