"""The verdicts of a bulk of deletions; the rest is in test_elastic_prune.py, on a real server."""

import orjson
import pytest

from storage.elastic.deleting import Hit, verdicts
from storage.store import StoreUnavailable


def test_verdicts() -> None:
    hits = [Hit(str(n), index="i") for n in range(6)]
    said = [200, 404, 409, 429, 503, 403]
    items = [{"delete": {"status": status, "error": {"reason": f"r{status}"}}} for status in said]
    reply = orjson.dumps({"errors": True, "items": items})
    assert verdicts(reply, hits, arrived=False) == ([hits[0]], hits[2:], "403 r403")
    assert verdicts(reply, hits, arrived=True)[0] == hits[:2]
    with pytest.raises(StoreUnavailable, match="6 verdicts for 5 lines"):
        verdicts(reply, hits[:5], arrived=False)
