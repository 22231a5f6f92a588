"""The bytes of a journal entry.

    0      2     3         4        8          16         24           28      32     34
    +------+-----+---------+--------+----------+----------+------------+-------+------+------+
    | mark | kind| protocol| length | checksum | observed | connection | count | keys | peer |
    +------+-----+---------+--------+----------+----------+------------+-------+------+------+
    | keys x 16 bytes | peer bytes | raw bytes, as the sender wrote them                        |
    +-----------------+------------+------------------------------------------------------------+

Little endian. `length` counts what follows the header. `checksum` is xxh3-64 of raw, seeded with the
xxh3-64 of everything else, so damage anywhere in an entry is seen. `keys` are resend keys (resends.py) of
the frames in raw that carry a chunk. An entry's position is where its header starts.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from mmap import mmap

import msgspec
from xxhash import xxh3_64_intdigest

MARK = 0x6C64
_HEAD = struct.Struct("<HBBIQ")
_REST = struct.Struct("<qIIHB")
_LENGTH = struct.Struct("<I")
HEADER_BYTES = _HEAD.size + _REST.size
KEY_BYTES = 16


class Kind(IntEnum):
    START = 1  # a process began; every connection of the one before is closed. raw: JSON
    OPEN = 2
    DATA = 3
    CLOSE = 4  # raw: one of the words below, or nothing when a sender without acks has ended the connection
    TICK = 5  # nothing arrived, but time passed while the joiner was holding something


CLOSED_HERE = b"here"  # this server closed the connection; its sender may dial again at any time
# A sender that wants acks closed it. Docker's does so also in the middle of a life: when its two streams have
# taken each other's ack (gate.py), it dials again at once.
CLOSED_WITH_ACKS = b"acks"


class Protocol(IntEnum):
    NONE = 0
    FORWARD = 1  # raw: forward frames back to back
    GELF_TCP = 2  # raw: JSON objects, each ended by NUL
    GELF_UDP = 3  # raw: payloads, each behind its length as u32
    GELF_HTTP = 4  # as GELF_UDP

    @property
    def label(self) -> str:
        return self.name.lower()


KINDS = {int(kind): kind for kind in Kind}  # a look-up costs a tenth of the enum's own call
PROTOCOLS = {int(protocol): protocol for protocol in Protocol}
# The largest frame a decoder lets through is 64 MiB; a header that claims more is damage, not an entry.
MAX_ENTRY_BYTES = 96 << 20
MAX_RAW_BYTES = MAX_ENTRY_BYTES - (2 << 20)  # beside 65,535 keys and a peer


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry as read back. `peer` is the sender's address without its port, "" on a unix socket."""

    position: int
    end: int  # position of the next entry
    kind: Kind
    protocol: Protocol
    observed: int  # nanoseconds
    connection: int
    peer: str
    count: int
    raw: bytes


class _Start(msgspec.Struct, frozen=True):
    run: int = 0


class Damage(Exception):  # noqa: N818 - it is the name of what was found
    """The bytes at `position` are not an entry."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(f"{why} at journal position {position:#x}")
        self.position = position


def encode_header(
    kind: Kind,
    protocol: Protocol,
    observed: int,
    connection: int,
    peer: bytes,
    count: int,
    keys: bytes,
    raw: bytes,
) -> bytes:
    """Everything of an entry but its raw bytes, which are written behind it without a copy.

    Raises ValueError for more than MAX_RAW_BYTES: nobody could read the entry back.
    """
    if len(raw) > MAX_RAW_BYTES:
        raise ValueError(f"{len(raw)} bytes do not fit into a journal entry")
    rest = _REST.pack(observed, connection, count, len(keys) // KEY_BYTES, len(peer))
    length = len(keys) + len(peer) + len(raw)
    tail = rest + keys + peer
    checksum = xxh3_64_intdigest(raw, xxh3_64_intdigest(tail, kind << 40 | protocol << 32 | length))
    return _HEAD.pack(MARK, kind, protocol, length, checksum) + tail


def entry_length(data: bytes | memoryview, at: int, position: int) -> int | None:
    """Bytes of the whole entry whose header starts at data[at], None when the header is not all there."""
    if len(data) - at < HEADER_BYTES:
        return None
    mark, _, _, length, _ = _HEAD.unpack_from(data, at)
    if mark != MARK:
        raise Damage(position, "no entry mark")
    if length > MAX_ENTRY_BYTES:
        raise Damage(position, "impossible length")
    return HEADER_BYTES + int(length)


def decode_entries(data: bytes | mmap, position: int) -> Iterator[Entry]:
    """The whole entries at the start of `data`, which was read from `position`. Raises Damage."""
    at = 0
    with memoryview(data) as view:
        while (total := entry_length(view, at, position + at)) is not None and at + total <= len(view):
            yield _decode(view, at, total, position + at)
            at += total


def _decode(view: memoryview, at: int, total: int, position: int) -> Entry:
    _, kind, protocol, length, checksum = _HEAD.unpack_from(view, at)
    observed, connection, count, keys, peer_length = _REST.unpack_from(view, at + _HEAD.size)
    peer_at = at + HEADER_BYTES + keys * KEY_BYTES
    raw_at = peer_at + peer_length
    if raw_at > at + total or kind not in KINDS or protocol not in PROTOCOLS:
        raise Damage(position, "impossible header")
    raw = view[raw_at : at + total]
    seed = xxh3_64_intdigest(view[at + _HEAD.size : raw_at], kind << 40 | protocol << 32 | length)
    if xxh3_64_intdigest(raw, seed) != checksum:
        raise Damage(position, "wrong checksum")
    peer = bytes(view[peer_at:raw_at]).decode("utf-8", "replace")
    return Entry(
        position,
        position + total,
        KINDS[kind],
        PROTOCOLS[protocol],
        observed,
        connection,
        peer,
        count,
        bytes(raw),
    )


def run_of(entry: Entry) -> int:
    """The number of the run that a START entry begins; 0 when it does not say."""
    try:
        return msgspec.json.decode(entry.raw, type=_Start).run
    except msgspec.DecodeError:
        return 0


def entry_keys(data: bytes | memoryview, at: int) -> bytes:
    """The resend keys of the entry whose header starts at data[at]; nothing is verified."""
    _, _, _, keys, _ = _REST.unpack_from(data, at + _HEAD.size)
    start = at + HEADER_BYTES
    return bytes(data[start : start + keys * KEY_BYTES])


def frame_payloads(payloads: list[bytes]) -> bytes:
    """Payloads behind their lengths: the raw bytes of a GELF_UDP or GELF_HTTP entry."""
    return b"".join(part for payload in payloads for part in (_LENGTH.pack(len(payload)), payload))


def split_payloads(raw: bytes) -> list[bytes]:
    """What frame_payloads joined."""
    payloads, at = [], 0
    while at < len(raw):
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size
        payloads.append(raw[at : at + length])
        at += length
    return payloads
