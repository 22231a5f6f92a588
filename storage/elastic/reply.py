"""What a bulk reply says of each event that was sent, and whether it can be believed.

201 created, 409 known already       done
400 for a reason in _DOCUMENT        refused: the document is at fault
429, 401, 403, 404, 408, 502-504,    again: the server's state is at fault, whatever the document
  and 400 for a reason in _STATE
everything else: 500, other 400s     doubtful: the document's fault if its neighbours are stored

After 408 and 5xx an item may be stored all the same, by a primary whose answer was lost on the way.

A reply is believed only when it has a verdict for each event that was sent, in order and with its id.
Anything else may come from a proxy, or belong to another request.
"""

import re
from collections.abc import Sequence

import msgspec

from parsers.event import Event
from storage.store import StoreUnavailable

NO_ERRORS = b'{"errors":false'
_CREATED = b'"status":201'
_ID = re.compile(r'"_id":"([^"]*)"')
MAX_WHY = 500  # characters of a reason that are kept

_DONE = frozenset((200, 201, 409))
_LATER = frozenset((401, 403, 404, 408, 429, 502, 503, 504))

_DOCUMENT = frozenset((
    "document_parsing_exception", "mapper_parsing_exception", "strict_dynamic_mapping_exception",
    "x_content_parse_exception", "parsing_exception", "parse_exception",
))  # fmt: skip
_DOCUMENT_REASON = re.compile(r"immense term")

# Reasons that Elasticsearch gives with status 400 though the document has nothing to do with it: a closed
# index, two senders making the stream at once, no room for another shard, a pipeline that is not there.
_STATE = frozenset((
    "index_closed_exception", "resource_already_exists_exception", "validation_exception",
    "cluster_block_exception", "index_not_found_exception", "security_exception",
))  # fmt: skip
_STATE_REASON = re.compile(r"^pipeline with id \[|this action would add \[|is not a data stream")


class Unbelievable(StoreUnavailable):
    """An answer that tells nothing about the events that were sent."""


class _Error(msgspec.Struct):
    type: str = ""
    reason: str | None = None
    caused_by: dict[str, object] | None = None


class _Verdict(msgspec.Struct):
    status: int
    id: str = msgspec.field(name="_id", default="")
    error: _Error | None = None


class _Item(msgspec.Struct):
    create: _Verdict


class _Reply(msgspec.Struct):
    errors: bool
    items: list[_Item] = []


_reply = msgspec.json.Decoder(_Reply)


class Outcome(msgspec.Struct):
    """What to do with some of the items of a body, by their place in it, and what the server said."""

    again: dict[int, str] = {}
    doubtful: dict[int, str] = {}
    refused: dict[int, str] = {}
    busy: bool = False  # some item got 429
    uncertain: bool = False  # some item got 408 or 5xx: it may be stored all the same

    @property
    def why(self) -> str:
        """The first reason to try again."""
        return next(iter((*self.again.values(), *self.doubtful.values())), "")


def outcome(reply: bytes, events: Sequence[Event]) -> Outcome:
    """The verdicts on `events`. Raises Unbelievable when the reply cannot be believed."""
    if reply.startswith(NO_ERRORS) and _all_created(reply, events):
        return Outcome()
    try:
        said = _reply.decode(reply)
    except msgspec.DecodeError as error:
        raise Unbelievable(f"a bulk reply that is none: {error}") from error
    if len(said.items) != len(events):
        raise Unbelievable(f"a bulk reply with {len(said.items)} verdicts for {len(events)} events")
    result = Outcome()
    for place, (item, event) in enumerate(zip(said.items, events, strict=True)):
        if item.create.id != event.id:
            raise Unbelievable(f"a bulk reply about {item.create.id!r} where {event.id!r} was sent")
        if item.create.status not in _DONE:
            _sort(result, place, item.create)
    return result


def _all_created(reply: bytes, events: Sequence[Event]) -> bool:
    """Whether the reply has nothing but `created` for exactly these ids. Half of what decoding costs."""
    if reply.count(_CREATED) != len(events) or not reply.endswith(b"]}"):
        return False
    # As Event.id, without a call for each.
    ids = ["%s.%x.%x" % (event.journal, event.position, event.index) for event in events]  # noqa: UP031
    return _ID.findall(reply.decode("utf-8", "replace")) == ids


def _sort(result: Outcome, place: int, verdict: _Verdict) -> None:
    status, why = verdict.status, f"{verdict.status} {said_of(verdict)}"
    result.busy = result.busy or status == 429
    result.uncertain = result.uncertain or status == 408 or status >= 500
    if status in _LATER or _is_state(verdict):
        result.again[place] = why
    elif 400 <= status < 500 and _is_document(verdict):
        result.refused[place] = why
    else:
        result.doubtful[place] = why


def _is_document(verdict: _Verdict) -> bool:
    """Other reasons may be about the index that could not be made, and hold for every document."""
    error = verdict.error or _Error()
    return error.type in _DOCUMENT or _DOCUMENT_REASON.search(error.reason or "") is not None


def _is_state(verdict: _Verdict) -> bool:
    error = verdict.error or _Error()
    return error.type in _STATE or _STATE_REASON.search(error.reason or "") is not None


def said_of(verdict: _Verdict) -> str:
    """The reason of a verdict, in one line."""
    error = verdict.error or _Error()
    cause = (error.caused_by or {}).get("reason")
    return " ".join(f"{error.type}: {error.reason}{f' ({cause})' if cause else ''}".split())[:MAX_WHY]
