import gzip
import zlib
from collections.abc import Callable

import pytest
import zstandard

from parsers.inflate import BLOCK, inflated
from parsers.record import DecodeError

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zstd": zstandard.compress,
    "text": bytes,
}
CONTENT = bytes(range(256)) * 4000  # about a mebibyte


def read(data: bytes, method: str, limit: int = 1 << 30) -> tuple[bytes, str | None]:
    got = b""
    try:
        for block in inflated(data, method, limit):
            assert 0 < len(block) <= BLOCK
            got += block
    except DecodeError as error:
        return got, error.reason
    return got, None


@pytest.mark.parametrize("method", COMPRESS)
def test_content_comes_in_blocks(method: str) -> None:
    assert read(COMPRESS[method](CONTENT), method) == (CONTENT, None)


@pytest.mark.parametrize("method", ["gzip", "zstd"])
def test_members_and_frames_are_joined(method: str) -> None:
    assert read(COMPRESS[method](CONTENT) * 2 + COMPRESS[method](b"") + COMPRESS[method](b"end"), method) == (
        CONTENT * 2 + b"end",
        None,
    )


@pytest.mark.parametrize("method", COMPRESS)
def test_the_limit_is_exact(method: str) -> None:
    data = COMPRESS[method](CONTENT)
    assert read(data, method, len(CONTENT)) == (CONTENT, None)
    assert read(data, method, len(CONTENT) - 1) == (CONTENT[:-1], "inflated_too_big")


@pytest.mark.parametrize("method", ["gzip", "zlib", "zstd"])
def test_broken_content_is_read_up_to_the_damage(method: str) -> None:
    data = COMPRESS[method](CONTENT)
    got, reason = read(data[: len(data) // 2], method)
    assert reason == "malformed"
    assert CONTENT.startswith(got)
    assert read(b"\x05nonsense", method) == (b"", "malformed")


@pytest.mark.parametrize("method", ["gzip", "zlib", "zstd"])
def test_padding_is_left_and_garbage_behind_is_told(method: str) -> None:
    data = COMPRESS[method](CONTENT)
    assert read(data + bytes(99), method) == (CONTENT, None)
    assert read(data + b"garbage", method) == (CONTENT, "malformed")


@pytest.mark.parametrize("method", ["gzip", "zstd"])
def test_thousands_of_tiny_members(method: str) -> None:
    assert read(COMPRESS[method](b"x") * 5000, method) == (b"x" * 5000, None)


def test_zstds_skippable_frames_are_skipped() -> None:
    skippable = b"\x52\x2a\x4d\x18\x03\0\0\0abc"
    data = skippable + zstandard.compress(b"one ") + skippable * 2 + zstandard.compress(b"two") + skippable
    assert read(data, "zstd") == (b"one two", None)


@pytest.mark.parametrize("method", ["gzip", "zlib", "zstd"])
def test_every_cut_is_noticed(method: str) -> None:
    data = COMPRESS[method](b"a few words, and again a few words")
    for size in range(len(data)):
        got, reason = read(data[:size], method)
        assert reason == "malformed"
        assert b"a few words, and again a few words".startswith(got)


def test_an_unknown_method() -> None:
    assert read(CONTENT, "lzma") == (b"", "unknown_compression")
