"""Where a page ended, and its text form: what `next` gives out and `cursor` takes back.

A token is url-safe base64 (no padding) of a MessagePack array and its CRC-32. The sum finds damage, it keeps
no secret: whoever makes up a token can only ask for another place of the same question.
"""

import base64
import binascii
import zlib
from typing import Annotated, Literal

import msgspec

from storage.errors import QueryError

Order = Literal["desc", "asc", "arrival"]

VERSION = 1  # of the token's shape
MAX_TOKEN = 1024  # characters; a real one has about 130
_SUM = 4  # bytes

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]  # what every store can compare with


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the sort key of its last event, and the ceiling its first page was cut at.

    Pages after the first see no event whose offset is above `ceiling`, so lines that arrive in between
    neither shift a page nor double a line. Offsets compare within one journal only, so each store applies
    the ceiling to its own journal's events. The place need not be that of an event that exists.
    """

    timestamp: Int64
    sequence: Int64
    id: str
    offset: Int64
    ceiling: Int64
    order: Order


class Token(msgspec.Struct, frozen=True, array_like=True):
    """A cursor with what it belongs to: a fingerprint of the question, and its ends as first understood.

    The ends (nanoseconds) travel along because `since=15m` would mean another moment on every page.
    """

    version: int
    cursor: Cursor
    fingerprint: str
    since: Int64 | None
    until: Int64 | None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Token)


def seal(token: Token) -> str:
    """A token as text."""
    packed = _encoder.encode(token)
    checksum = zlib.crc32(packed).to_bytes(_SUM, "big")
    return base64.urlsafe_b64encode(packed + checksum).rstrip(b"=").decode()


def unseal(text: str) -> Token:
    """The token of a text that `seal` made. Raises QueryError("cursor")."""
    try:
        if len(text) > MAX_TOKEN:
            raise ValueError("too long")
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        token = _decoder.decode(data[:-_SUM])
        if token.version != VERSION or seal(token) != text:  # the sum too: seal reckons it anew
            raise ValueError("damaged")
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        message = "not a cursor of this server: pass `next` of the page before, unchanged"
        raise QueryError("cursor", message) from error
    return token
