"""The questions of search.py, in the words of each server."""

import http.client
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import corpus
import msgspec
import orjson

STREAM = "logs-docker-default"
LABEL = "com.docker.compose.service"
NEWEST = 100
AROUND = 20
BUCKETS = 60
JSON = {"content-type": "application/json"}
LIVING = ("shop-web-1", "shop-cart-1", "shop-billing-2", "shop-stock-1")
GONE = ("shop-edge-3", "shop-stock-3", "shop-web-4", "shop-orders-4")
REGEX = r"shard [0-9]+ lost its"
LOOSE_REGEX = r"[0-9]{3}q[a-z]{2}[0-9]"  # nothing to look for but itself


class Request(msgspec.Struct, frozen=True):
    """One HTTP request."""

    path: str
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = {}


class Question(msgspec.Struct, frozen=True):
    """`most`: milliseconds that the embedded store may take. Requests are asked in turn."""

    what: str
    most: float
    local: Sequence[Request]
    bare: Sequence[Request] = ()
    victoria: Sequence[Request] = ()
    on_elastic: Sequence[Request] = ()  # where the ids of lines are others

    @property
    def elastic(self) -> Sequence[Request]:
        return self.on_elastic or self.local


def all_of_them(local: str, elastic: str) -> list[Question]:
    """Everything; the two addresses are asked for lines to have the context of."""
    newest = f"newest {NEWEST}"
    return [
        Question(f"{newest}", 30, [ours("/logs")], [hits()], [victoria("*")]),
        keyed(f"{newest} of a living container", LIVING),
        keyed(f"{newest} of a container long gone", GONE),
        by_service(f"{newest} of a service", "services", "service.name"),
        by_service(f"{newest} of a label", f"labels/{LABEL}", f"container.labels.{LABEL}"),
        worded(f"{newest} with a common word", 60, corpus.COMMON),
        worded(f"{newest} with a rare word", 300, corpus.RARE),
        worded(f"{newest} with an absent word", 300, corpus.ABSENT),
        worded(f"{newest} with a phrase", 300, corpus.PHRASE),
        regex(f"{newest} of a regex with a word in it", 300, REGEX),
        regex(f"{newest} of a regex without", 1000, LOOSE_REGEX),
        histogram(),
        *contexts(local, elastic),
    ]


def ours(path: str, **parameters: str | int) -> Request:
    return Request(f"/api/v1{path}?{urlencode({'limit': NEWEST, **parameters})}")


def victoria(query: str, limit: int = NEWEST) -> Request:
    return Request(f"/select/logsql/query?{urlencode({'query': query, 'limit': limit})}")


def hits(query: Mapping[str, Any] | None = None, **more: Any) -> Request:
    """A search as Kibana asks it, hits not counted."""
    body = {"size": NEWEST, "track_total_hits": False, "sort": [{"@timestamp": "desc"}], **more}
    return Request(
        f"/{STREAM}/_search", "POST", orjson.dumps(body | ({"query": query} if query else {})), JSON
    )


def term(field: str, value: str) -> dict[str, Any]:
    return {"bool": {"filter": [{"term": {field: value}}]}}


def keyed(what: str, names: Sequence[str]) -> Question:
    return Question(
        what,
        30,
        [ours(f"/containers/{name}/logs") for name in names],
        [hits(term("container.name", name)) for name in names],
        [victoria(f'{{container="{name}"}}') for name in names],
    )


def by_service(what: str, path: str, field: str) -> Question:
    names = corpus.SERVICES
    asked = [ours(f"/{path}/{name}/logs") for name in names]
    bare = [hits(term(field, name)) for name in names]
    return Question(what, 30, asked, bare, [victoria(f'{{service="{name}"}}') for name in names])


def worded(what: str, most: float, words: str) -> Question:
    kind = "match_phrase" if " " in words else "match"
    bare = {"bool": {"filter": [{kind: {"message": words}}]}}
    return Question(what, most, [ours("/logs", q=f'"{words}"')], [hits(bare)], [victoria(f'"{words}"')])


def regex(what: str, most: float, pattern: str) -> Question:
    """Elasticsearch has no regexes over more than one token."""
    return Question(what, most, [ours("/logs", q=f"/{pattern}/")], [], [victoria(f'~"{pattern}"')])


def histogram() -> Question:
    step = corpus.HOURS * 3600 // BUCKETS
    levels = {"levels": {"terms": {"field": "log.level"}}}
    dates = {"date_histogram": {"field": "@timestamp", "fixed_interval": f"{step}s"}, "aggs": levels}
    found = urlencode({"query": "*", "step": f"{step}s", "field": "level", "start": corpus.FIRST_SECOND})
    return Question(
        "histogram of everything by level",
        50,
        [Request(f"/api/v1/histogram?by=level&buckets={BUCKETS}")],
        [hits(size=0, aggs={"dates": dates}, sort=[])],
        [Request(f"/select/logsql/hits?{found}")],
    )


def contexts(local: str, elastic: str) -> list[Question]:
    """Of lines all over the two days."""
    found, other = samples(local), samples(elastic)
    return [
        Question(
            f"{AROUND} lines before and after, {scope}",
            40,
            [context(event, scope) for event in found],
            [around(event, scope) for event in found],
            [surrounding(event) for event in found] if scope == "container" else [],
            [context(event, scope) for event in other],
        )
        for scope in ("container", "all")
    ]


def samples(address: str) -> list[dict[str, Any]]:
    return [event for hour in range(1, corpus.HOURS, 3) for event in sample(address, hour)]


def context(event: Mapping[str, Any], scope: str) -> Request:
    around = urlencode({"before": AROUND, "after": AROUND, "scope": scope})
    return Request(f"/api/v1/logs/{quote(event['id'])}/context?{around}")


def sample(address: str, hour: int) -> list[dict[str, Any]]:
    until = corpus.FIRST_SECOND + hour * 3600
    connection = http.client.HTTPConnection(address, timeout=120)
    connection.request("GET", f"/api/v1/logs?limit=1&until={until}")
    events: list[dict[str, Any]] = orjson.loads(connection.getresponse().read())["events"]
    connection.close()
    return events


def around(event: Mapping[str, Any], scope: str) -> Request:
    """Both sides in one request."""
    lines = []
    for side, order in (("lte", "desc"), ("gt", "asc")):
        of = [{"range": {"@timestamp": {side: event["timestamp"]}}}]
        if scope == "container":
            of.append({"term": {"container.id": event["container"]["id"]}})
        query = {"bool": {"filter": of}}
        body = {
            "size": AROUND + 1,
            "track_total_hits": False,
            "sort": [{"@timestamp": order}],
            "query": query,
        }
        lines += [b"{}", orjson.dumps(body)]
    return Request(
        f"/{STREAM}/_msearch", "POST", b"\n".join([*lines, b""]), {"content-type": "application/x-ndjson"}
    )


def surrounding(event: Mapping[str, Any]) -> Request:
    asked = f'_time:{event["timestamp"]} {{container="{event["container"]["name"]}"}}'
    return victoria(f"{asked} | stream_context before {AROUND} after {AROUND}", 2 * AROUND + 1)
