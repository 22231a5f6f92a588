"""Which records are pieces of a line: the partial_* keys of Docker's fluentd driver."""

from typing import Any

import msgspec

# Far more pieces than a line may have (parsers/join.py); a longer number is no ordinal.
_MAX_ORDINAL_DIGITS = 9

_KEYS = ("partial_message", "partial_id", "partial_ordinal", "partial_last")


class Piece(msgspec.Struct, frozen=True, gc=False):
    """`id` is "" and `ordinal` 0 for engines before 19.03, which only say that there is more to come."""

    id: str
    ordinal: int
    last: bool


def take_piece(record: dict[str, Any]) -> Piece | None:
    """The piece that a record is, its keys removed from `record`; None (and nothing removed) when it is none.

    Docker writes all four keys, as text, over labels of their names (moby daemon/logger/fluentd/fluentd.go,
    Log); before 19.03 only partial_message. Relays may turn text into numbers and booleans. Anything else
    is a label of that name.
    """
    if record.get("partial_message") not in ("true", True):
        return None
    if "partial_id" not in record:
        piece = Piece("", 0, False)
        del record["partial_message"]
        return piece
    identity, ordinal = record["partial_id"], _ordinal(record.get("partial_ordinal"))
    last = _boolean(record.get("partial_last"))
    if not isinstance(identity, str) or not identity or not ordinal or last is None:
        return None
    for key in _KEYS:
        del record[key]
    return Piece(identity, ordinal, last)


def _ordinal(value: Any) -> int:
    """A decimal from "1", or 0 when it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MAX_ORDINAL_DIGITS:
        return int(value)
    return value if type(value) is int and 0 < value < 10**_MAX_ORDINAL_DIGITS else 0


def _boolean(value: Any) -> bool | None:
    return (
        {"true": True, "false": False, True: True, False: False}.get(value)
        if isinstance(value, (str, bool))
        else None
    )
