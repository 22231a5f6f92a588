"""Tokens of pages: whole, damaged, and made up by somebody who can reckon a sum."""

import base64
import zlib
from typing import Any

import msgspec
import pytest

from storage.cursor import MAX_TOKEN, Cursor, Token, seal, unseal
from storage.errors import QueryError

TOKEN = Token(1, Cursor(2**60, 7, "j.1.0", 9, 12, "desc"), "print", None, -(2**63))


def made_up(parts: Any) -> str:
    packed = msgspec.msgpack.encode(parts)
    return base64.urlsafe_b64encode(packed + zlib.crc32(packed).to_bytes(4, "big")).rstrip(b"=").decode()


def refused(text: str) -> bool:
    with pytest.raises(QueryError) as problem:
        unseal(text)
    return problem.value.parameter == "cursor" and "not a cursor" in str(problem.value)


def test_back_and_forth() -> None:
    assert unseal(seal(TOKEN)) == TOKEN
    assert made_up(TOKEN) == seal(TOKEN)


def test_every_damage_is_seen() -> None:
    text = seal(TOKEN)
    for place in range(len(text)):
        assert refused(text[:place])
        assert refused(text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :])
    for more in ("=", "A", " ", "\0", "\u00e9", "A" * MAX_TOKEN):
        assert refused(text + more)


@pytest.mark.parametrize("far", [2**63, 2**64 - 1, 1.5, None, "1"])
@pytest.mark.parametrize("place", [0, 1, 3, 4])
def test_numbers_fit_every_store(place: int, far: object) -> None:
    parts: list[Any] = [TOKEN.cursor.timestamp, 7, "j.1.0", 9, 12, "desc"]
    parts[place] = far
    assert refused(made_up([1, parts, "print", None, None]))


@pytest.mark.parametrize(
    "parts",
    [[], [2, TOKEN.cursor, "", None, None], [1, [0, 0, "", 0, 0, "up"], "", None, None],
     [1, TOKEN.cursor, "", 2**63, None], [1, TOKEN.cursor, "", None, 2**63], {"version": 1}, "text"],
)  # fmt: skip
def test_shapes_that_are_no_token(parts: Any) -> None:
    assert refused(made_up(parts))
