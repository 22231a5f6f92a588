"""A fake Elasticsearch with whole backing indices: sizes, ages, roll-over, and a data stream lifecycle."""

import json
from typing import Any

from storage.elastic.hits import nanoseconds
from tests.storage.fake_elasticsearch import FakeElasticsearch, Reply, error

DOCUMENT_BYTES = 100


class FakeCluster(FakeElasticsearch):
    """`stream`: None for a server without that API, else what GET _data_stream tells of the stream."""

    def __init__(self) -> None:
        super().__init__()
        self.stream: dict[str, Any] | None = None
        self.old = False  # whether the write index is older than any max_age
        self.closed: set[str] = set()
        self.asked: list[str] = []  # method and path of what changes something
        self.conditions: dict[str, Any] = {}  # of the last roll-over
        self.lost_deletes = 0  # so many deletions happen and are not answered; a client may ask again

    def _reply(self, method: str, path: str, body: bytes) -> Reply | None:
        index, _, action = path.strip("/").partition("/")
        if method in ("PUT", "DELETE"):
            self.asked.append(f"{method} {path}")
        if index == "_data_stream":
            return self._lifecycle(method, action, body)
        if action.startswith("_stats"):
            return 200, {"indices": {name: self._stats(name) for name in self.indices}}
        if action == "_rollover":
            return self._rollover(json.loads(body)["conditions"])
        if method == "DELETE":
            return self._delete(index)
        if action == "_search" and "ids" not in (search := json.loads(body)).get("query", {}):
            return self._ends(index, search)
        return super()._reply(method, path, body)

    def _lifecycle(self, method: str, action: str, body: bytes) -> Reply:
        if self.stream is None:
            return 400, {"error": f"no handler found for uri [/_data_stream/{action}] and method [{method}]"}
        if method == "PUT":
            self.stream["lifecycle"] = {"enabled": True, **json.loads(body)}
        if method == "DELETE":
            del self.stream["lifecycle"]
        return 200, {"data_streams": [self.stream]}

    def _stats(self, name: str) -> dict[str, Any]:
        count = len(self.indices[name])
        sizes = {"docs": {"count": count}, "store": {"size_in_bytes": count * DOCUMENT_BYTES}}
        return {"status": "close" if name in self.closed else "open", "primaries": sizes}

    def _rollover(self, conditions: dict[str, Any]) -> Reply:
        name = list(self.indices)[-1]
        count = len(self.indices[name])
        most = int(conditions.get("max_primary_shard_size", "0b").removesuffix("b"))
        met = {
            "min_docs": count >= conditions.get("min_docs", 0),
            "max_age": self.old,
            "max_primary_shard_size": count * DOCUMENT_BYTES >= most,
        }
        results = {f"[{key}: {value}]": met[key] for key, value in conditions.items()}
        due = all(ok for key, ok in results.items() if "min_" in key)
        due = due and any(ok for key, ok in results.items() if "max_" in key)
        dry = "dry_run" in self.parameters
        if (due or not conditions) and not dry:
            self.roll_over()
            self.old, self.conditions = False, conditions
        return 200, {"rolled_over": (due or not conditions) and not dry, "conditions": results}

    def _delete(self, index: str) -> Reply | None:
        if index not in self.indices and not self.lost_deletes:
            return 404, error("index_not_found_exception")
        if index == list(self.indices)[-1]:
            return 400, error("illegal_argument_exception", "is the write index and cannot be deleted")
        self.indices.pop(index, None)
        if self.lost_deletes:
            self.lost_deletes -= 1
            return None
        return 200, {"acknowledged": True}

    def _ends(self, index: str, search: dict[str, Any]) -> Reply:
        """The first hit of a search that is sorted by time, or the highest offset; no aggregations."""
        if "aggs" in search:
            return 503, error("search_phase_execution_exception", "too busy to count")
        sources = [json.loads(source) for source in self.indices.get(index, {}).values()]
        (field, how), *_ = search["sort"][0].items()
        if field.startswith("logdock."):
            return super()._search(search)
        path = field.split(".")
        values = sorted(source[path[0]][path[1]] if path[1:] else source[field] for source in sources)
        if how["order"] == "desc":
            values.reverse()
        found = [{"_id": "x", "sort": [nanoseconds(values[0])]}] if values else []
        return 200, {"hits": {"hits": found}}
