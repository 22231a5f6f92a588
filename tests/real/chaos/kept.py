"""What is kept, read from Elasticsearch itself and from logdock, and compared with what was promised."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tests.real.server import Logdock

STREAM = "logs-docker-default"
PAGE = 5000  # documents of one search; half of what Elasticsearch allows
SHOWN = 5  # lines in a report
Text = Callable[[int], str]
Asked = Callable[..., Any]  # (method, path, body) -> the decoded answer of Elasticsearch


@dataclass
class Verdict:
    """What became of promised lines. `lost` are those that nobody accounts for."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)  # neither promised nor expected
    misplaced: list[str] = field(default_factory=list)
    accounted: int = 0  # lines that are missing, and that logdock says it put elsewhere

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.strange or self.misplaced)

    def __str__(self) -> str:
        parts = [
            f"{len(lines)} {name} {lines[:SHOWN]}"
            for name, lines in vars(self).items()
            if isinstance(lines, list) and lines
        ]
        return "; ".join(parts) or "good"


def compare(wanted: Iterable[str], kept: list[str], elsewhere: frozenset[str] = frozenset()) -> Verdict:
    """`elsewhere`: lines that logdock says are not in the store."""
    promised = list(wanted)
    if kept == promised:
        return Verdict()
    times = Counter(kept)
    missing = [line for line in promised if line not in times]
    verdict = Verdict(
        lost=[line for line in missing if line not in elsewhere],
        doubled=[line for line, count in times.items() if count > 1],
        strange=sorted(times.keys() - set(promised)),
        accounted=sum(line in elsewhere for line in missing),
    )
    if not (verdict.doubled or verdict.strange):
        here = [line for line in promised if line in times]
        verdict.misplaced = [line for line, right in zip(kept, here, strict=True) if line != right]
    return verdict


def wanted_lines(text: Text, lines: int) -> Iterator[str]:
    return (text(line) for line in range(1, lines + 1))


def counts(ask: Asked, containers: list[str]) -> dict[str, int]:
    """Documents of each container."""
    ask("POST", f"/{STREAM}/_refresh")
    found = ask("POST", f"/{STREAM}/_search", {
        "size": 0, "query": {"terms": {"container.id": containers}},
        "aggs": {"by": {"terms": {"field": "container.id", "size": len(containers)}}},
    })  # fmt: skip
    return {bucket["key"]: bucket["doc_count"] for bucket in found["aggregations"]["by"]["buckets"]}


def stored(ask: Asked, container: str) -> list[str]:
    """Messages of one container in the order of arrival, from all backing indices: a double shows."""
    messages: list[str] = []
    body: dict[str, Any] = {
        "size": PAGE, "query": {"term": {"container.id": container}}, "_source": ["message"],
        "sort": [{"event.sequence": "asc"}, {"_index": "asc"}],
    }  # fmt: skip
    while True:
        hits = ask("POST", f"/{STREAM}/_search", body)["hits"]["hits"]
        messages += [hit["_source"]["message"] for hit in hits]
        if len(hits) < PAGE:
            return messages
        body["search_after"] = hits[-1]["sort"]


def exported(server: Logdock, container: str) -> list[str]:
    """The same as logdock itself tells it, in the order of (timestamp, sequence)."""
    return [event["message"] for event in server.export(container=container, order="asc")]


def quarantined(data: Path) -> Counter[str]:
    """Messages in the quarantine of a data folder, and how often each is there."""
    found: Counter[str] = Counter()
    for path in (data / "quarantine").glob("*.ndjson"):
        for line in path.read_bytes().splitlines():
            found[msgspec.json.decode(line)["event"]["message"]] += 1
    return found


LOSSES = ("logdock_rejected_total", "logdock_dropped_total")


class Losses:
    """What logdock says it gave up, by cause, over all its lives: a kill takes its counters along."""

    def __init__(self) -> None:
        self._before: Counter[str] = Counter()
        self._now: Mapping[str, int] = {}

    def look(self, server: Logdock) -> None:
        self._now = losses(server.get("/metrics").text)

    def died(self) -> None:
        self._before.update(self._now)
        self._now = {}

    def forget(self) -> None:
        """Count from here on."""
        self._before = Counter()
        self._before.subtract(self._now)

    @property
    def told(self) -> dict[str, int]:
        """Lines by cause."""
        both = Counter(self._before)
        both.update(self._now)
        return {name: count for name, count in both.items() if count}

    @property
    def lines(self) -> int:
        return sum(self.told.values())


def losses(text: str) -> dict[str, int]:
    """The loss counters of a scrape that are not zero: {name{labels}: value}."""
    lines = (line.rpartition(" ") for line in text.splitlines() if line.startswith(LOSSES))
    return {name: int(float(value)) for name, _, value in lines if float(value)}


def metric(text: str, name: str) -> float:
    """The sum over the labels of one metric of a scrape."""
    lines = (line.rpartition(" ") for line in text.splitlines())
    return sum(float(value) for told, _, value in lines if told.partition("{")[0] == name)
