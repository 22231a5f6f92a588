"""Who sees to the retention of the data stream: the cluster's own lifecycle, its operator, or logdock.

Not every server has that lifecycle (it came with 8.11, as a module), so it is asked. What an operator has
set, a lifecycle or an index lifecycle policy (ILM), is never changed.
"""

import re
from typing import Any, Literal

import msgspec

from storage.elastic.client import Client, Refused

PARTS_OF_AGE = 30  # a line leaves with its index: at most a 30th of the retention late
PARTS_OF_SIZE = 20  # the oldest 20th goes at once, so that much less than the limit may be there
MIN_INDEX_SECONDS = 3600  # an index costs a cluster memory and its master a change of state
MIN_INDEX_BYTES = 32 << 20  # the same for a small limit: some 200,000 lines
MAX_INDEX_BYTES = 50 << 30  # a shard beyond this is slow to move and to mend; what lifecycles of Elastic take

Who = Literal["logdock", "cluster", "operator"]

_UNITS = {"nanos": 1e-9, "micros": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86_400}  # TimeValue's
_TIME = re.compile(r"(\d+)(nanos|micros|ms|s|m|h|d)")


class Manager(msgspec.Struct, frozen=True):
    """Who it is. `set_by_us`: the retention that logdock has set, to be remembered; `why` is for the log."""

    who: Who
    set_by_us: str | None = None
    why: str = ""


class _Lifecycle(msgspec.Struct):
    enabled: bool = True
    data_retention: str | None = None


class _Stream(msgspec.Struct):
    lifecycle: _Lifecycle | None = None
    ilm_policy: str | None = None
    next_generation_managed_by: str = "Index Lifecycle Management"


class _Streams(msgspec.Struct):
    data_streams: list[_Stream] = []


async def manager(client: Client, stream: str, retention: float | None, set_before: str | None) -> Manager:
    """Who manages `stream`, after asking the cluster to keep lines for `retention` seconds (None: for ever).

    `set_before`: what logdock had set itself. Raises StoreUnavailable, Refused.
    """
    try:
        reply = await client.ask("GET", f"/_data_stream/{stream}")
    except Refused as refusal:
        return Manager("logdock", set_before, f"it knows no data stream lifecycle ({refusal})")
    found = msgspec.json.decode(reply, type=_Streams).data_streams
    if not found:
        return Manager("logdock", set_before, "the data stream is not there yet")
    if found[0].ilm_policy is not None and found[0].next_generation_managed_by.startswith("Index Lifecycle"):
        return Manager("operator", None, f"it has the index lifecycle policy {found[0].ilm_policy}")
    return await _with_lifecycle(client, stream, found[0].lifecycle, retention, set_before)


async def _with_lifecycle(
    client: Client, stream: str, there: _Lifecycle | None, retention: float | None, set_before: str | None
) -> Manager:
    wanted = None if retention is None else time_value(retention)
    if there is None and wanted is None:
        return Manager("logdock")
    if there is not None and _same(there, wanted):
        return Manager("cluster", wanted if _same(there, set_before) else None, _kept(wanted))
    if there is not None and (set_before is None or not _same(there, set_before)):
        what = f"data_retention {there.data_retention}" if there.enabled else "its lifecycle turned off"
        return Manager("operator", None, f"it has {what}")
    path = f"/_data_stream/{stream}/_lifecycle"
    if wanted is None:
        await client.ask("DELETE", path)
        return Manager("logdock", None, "the lifecycle that logdock had set is removed")
    try:
        await client.ask("PUT", path, {"data_retention": wanted})
    except Refused as refusal:
        return Manager("logdock", set_before, f"it refuses a lifecycle ({refusal})")
    return Manager("cluster", wanted, _kept(wanted))


def _kept(wanted: str | None) -> str:
    return f"its lifecycle keeps lines for {wanted or 'ever'}"


def _same(there: _Lifecycle, text: str | None) -> bool:
    return there.enabled and _seconds(there.data_retention) == _seconds(text)


def _seconds(text: str | None) -> float | None:
    """A TimeValue of Elasticsearch in seconds; None for none, and for one that it cannot have written."""
    match = _TIME.fullmatch(text or "")
    return int(match[1]) * _UNITS[match[2]] if match else None


def time_value(seconds: float) -> str:
    """Seconds as Elasticsearch reads them, at least one."""
    return f"{max(1, round(seconds))}s"


def byte_value(size: int) -> str:
    """Bytes as Elasticsearch reads them."""
    return f"{size}b"


def conditions(retention: float | None, size: int | None, who: Who) -> dict[str, Any]:
    """When a new backing index begins, as POST _rollover takes it. `retention` in seconds, `size` in bytes.

    The cluster's lifecycle looks after ages, not after the size of all.
    """
    least = (
        MAX_INDEX_BYTES if size is None else min(max(size // PARTS_OF_SIZE, MIN_INDEX_BYTES), MAX_INDEX_BYTES)
    )
    wanted: dict[str, Any] = {"min_docs": 1, "max_primary_shard_size": byte_value(least)}
    if who == "logdock" and retention is not None:
        wanted["max_age"] = time_value(max(retention / PARTS_OF_AGE, MIN_INDEX_SECONDS))
    return wanted
