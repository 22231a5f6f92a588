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
    assert reason == "malformed" or method == "zstd"
    assert CONTENT.startswith(got)
    assert read(b"\x05nonsense", method) == (b"", "malformed")


def test_an_unknown_method() -> None:
    assert read(CONTENT, "lzma") == (b"", "unknown_compression")
