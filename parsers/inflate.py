"""Compressed bytes as blocks of plain ones, never more at once than one block.

gzip may have several members (RFC 1952, section 2.2) and zstd several frames (RFC 8878, section 3): senders
append them to one another.
"""

import io
import zlib
from collections.abc import Iterator

import zstandard

from parsers.record import DecodeError

BLOCK = 1 << 18
# What one compressed message may become: fluentd's own limit. Never held at once; it bounds a bomb's work.
MAX_INFLATED = 256 << 20
_MAX_WINDOW = 1 << 27  # zstd's own limit for a decoder that was not told otherwise
_GZIP, _ZLIB = 31, 15  # zlib's window bits: 15, and +16 for gzip's header


def inflated(data: bytes, method: str, limit: int = MAX_INFLATED) -> Iterator[bytes]:
    """The content in blocks. `method`: "gzip", "zlib", "zstd" or "text" (not compressed).

    DecodeError after what could be read: "inflated_too_big" beyond `limit` bytes, "malformed" for broken or
    truncated data, "unknown_compression" for another method.
    """
    size = 0
    for block in _blocks(data, method):
        size += len(block)
        if size > limit:
            yield block[: limit - size]
            raise DecodeError("inflated_too_big", f"more than {limit} bytes when inflated")
        yield block


def _blocks(data: bytes, method: str) -> Iterator[bytes]:
    if method == "text":
        return (data[start : start + BLOCK] for start in range(0, len(data), BLOCK))
    if method == "gzip":
        return _deflate(data, _GZIP)
    if method == "zlib":
        return _deflate(data, _ZLIB)
    if method == "zstd":
        return _zstd(data)
    raise DecodeError("unknown_compression", f"no way to read {method!r}")


def _deflate(data: bytes, window: int) -> Iterator[bytes]:
    """Members one after another; what follows the last one and is no member is padding."""
    while True:
        member = zlib.decompressobj(window)
        try:
            yield from _member(member, data)
        except zlib.error as error:
            raise DecodeError("malformed", f"broken compression: {error}") from error
        data = member.unused_data
        if window != _GZIP or not data.startswith(b"\x1f\x8b"):
            return


def _member(member: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while not member.eof:
        block = member.decompress(data, BLOCK)
        data = member.unconsumed_tail
        if block:
            yield block
        elif not member.eof:
            raise DecodeError("malformed", "compressed data is cut off")


def _zstd(data: bytes) -> Iterator[bytes]:
    decoder = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    reader = decoder.stream_reader(io.BytesIO(data), read_across_frames=True)
    while True:
        try:
            block = reader.read(BLOCK)
        except (zstandard.ZstdError, MemoryError) as error:
            raise DecodeError("malformed", f"broken compression: {error}") from error
        if not block:
            return
        yield block
