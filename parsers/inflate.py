"""Compressed bytes as blocks of plain ones, never more at once than one block.

gzip may have several members (RFC 1952, section 2.2) and zstd several frames (RFC 8878, section 3): senders
append them to one another.
"""

import zlib
from collections.abc import Iterator

import zstandard

from parsers.record import DecodeError

BLOCK = 1 << 18
# What one compressed message may become: fluentd's own limit. Never held at once; it bounds a bomb's work.
MAX_INFLATED = 256 << 20
_MAX_WINDOW = 1 << 27  # zstd's own limit for a decoder that was not told otherwise
_GZIP, _ZLIB = 31, 15  # zlib's window bits: 15, and +16 for gzip's header
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGICS = (b"\xb5\x2f\xfd", b"\x2a\x4d\x18")  # a frame's and a skippable frame's, but for the first byte
# Compressed bytes taken at once: few, because each of a million tiny members copies what is left of them.
_PIECE = 1 << 14
# zstd's decoder gives all that a piece makes, 128 KiB for four bytes (RFC 8878, "RLE_Block"): 8 MiB at worst.
_ZSTD_PIECE = 1 << 8


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
        return _sliced(data)
    if method == "gzip":
        return _deflate(data, _GZIP)
    if method == "zlib":
        return _deflate(data, _ZLIB)
    if method == "zstd":
        return _zstd(data)
    raise DecodeError("unknown_compression", f"no way to read {method!r}")


def _deflate(data: bytes, window: int) -> Iterator[bytes]:
    """Members one after another."""
    position = 0
    while True:
        member = zlib.decompressobj(window)
        while not member.eof:
            piece = member.unconsumed_tail or data[position : position + _PIECE]
            position += len(piece) - len(member.unconsumed_tail)
            try:
                block = member.decompress(piece, BLOCK)
            except zlib.error as error:
                raise DecodeError("malformed", f"broken compression: {error}") from error
            if block:
                yield block
            elif not piece and not member.eof:
                raise DecodeError("malformed", "compressed data is cut off")
        position -= len(member.unused_data)
        if window != _GZIP or not data.startswith(_GZIP_MAGIC, position):
            return _refuse_rest(data, position)


def _zstd(data: bytes) -> Iterator[bytes]:
    """Frames one after another."""
    decoder = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    position = 0
    while True:
        frame = decoder.decompressobj()
        while not frame.eof:
            piece = data[position : position + _ZSTD_PIECE]
            if not piece:
                raise DecodeError("malformed", "compressed data is cut off")
            position += len(piece)
            try:
                block = frame.decompress(piece)
            except (zstandard.ZstdError, MemoryError) as error:
                raise DecodeError("malformed", f"broken compression: {error}") from error
            yield from _sliced(block)
        position -= len(frame.unused_data)
        if not data.startswith(_ZSTD_MAGICS, position + 1):
            return _refuse_rest(data, position)


def _refuse_rest(data: bytes, position: int) -> None:
    """NULs behind the last member are padding (as in a file on tape); anything else is damage."""
    if data[position:].strip(b"\0"):
        raise DecodeError("malformed", "something that is not compressed follows")


def _sliced(block: bytes) -> Iterator[bytes]:
    return (block[start : start + BLOCK] for start in range(0, len(block), BLOCK))
