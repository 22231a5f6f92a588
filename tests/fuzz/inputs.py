"""What fuzzers feed: real captures, structured messages, noise, and mutations of all of them."""

import base64
import gzip
import json
import math
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import zstandard

WIRE = Path(__file__).parent.parent / "wire"
# A fuzzer's step must be short: longer captures are used in part.
_MAX_SEED = 4000
# Bytes that mean something to msgpack, JSON, gzip and chunks.
_TELLING = (
    b"\xc1",
    b"\xc0",
    b"\x80",
    b"\x90",
    b"\x94",
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\x00\x00\xff\xff",
    b"\xdb\xff\xff\xff\xff",
    b"\xc7\x08\x00",
    b"\xd7\x00",
    b"\xd6\xff",
    b"\xcb\x7f\xf8\0\0\0\0\0\0",
    b"\xa5chunk",
    b"\x81\xa5chunk\xa1x",
    b"\x91" * 70,
    b"\0",
    b"{",
    b"}",
    b'"',
    b"\\",
    b"\\ud800",
    b',"_',
    b'"timestamp":',
    b"1e400",
    b"[" * 70,
    b"\x1f\x8b\x08",
    b"\x78\x9c",
    b"\x28\xb5\x2f\xfd",
    b"\x1e\x0f",
    b"\xff",
    b"\xed\xa0\x80",
    b"]",
    b" ",
    b"null",
    b"NaN",
)


def captures(kind: str) -> list[bytes]:
    return [path.read_bytes()[:_MAX_SEED] for path in sorted(WIRE.glob(f"*.{kind}"))]


def datagrams() -> list[bytes]:
    lines = [
        line for path in sorted(WIRE.glob("*.gelf-udp.jsonl")) for line in path.read_text().splitlines()[:3]
    ]
    return [base64.b64decode(json.loads(line)["b64"]) for line in lines]


def cut(dice: random.Random, data: bytes) -> list[bytes]:
    edges = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randrange(12)))
    return [data[a:b] for a, b in zip([0, *edges], [*edges, len(data)], strict=True)]


def mutated(dice: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((0, 1, 1, 2, 5))):
        dice.choice(_MUTATIONS)(dice, changed)
    return bytes(changed)


def _overwrite(dice: random.Random, data: bytearray) -> None:
    if data:
        data[dice.randrange(len(data))] = dice.randrange(256)


def _insert(dice: random.Random, data: bytearray) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = dice.choice(_TELLING)


def _replace(dice: random.Random, data: bytearray) -> None:
    at, new = dice.randrange(len(data) + 1), dice.choice(_TELLING)
    data[at : at + len(new)] = new


def _remove(dice: random.Random, data: bytearray) -> None:
    at = dice.randrange(len(data) + 1)
    del data[at : at + dice.randrange(1, 30)]


def _repeat(dice: random.Random, data: bytearray) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = data[at : at + dice.randrange(1, 200)] * dice.randrange(1, 4)


def _truncate(dice: random.Random, data: bytearray) -> None:
    del data[dice.randrange(len(data) + 1) :]


_MUTATIONS = (_overwrite, _insert, _replace, _remove, _repeat, _truncate)


def noise(dice: random.Random) -> bytes:
    return b"".join(
        dice.choice((dice.randbytes(dice.randrange(9)), dice.choice(_TELLING)))
        for _ in range(dice.randrange(30))
    )


def value(dice: random.Random, depth: int = 4) -> Any:
    if depth and dice.random() < 0.3:
        return dice.choice((_list, _map))(dice, depth)
    return dice.choice(_SCALARS)(dice)


def _list(dice: random.Random, depth: int) -> list[Any]:
    return [value(dice, depth - 1) for _ in range(dice.randrange(4))]


def _map(dice: random.Random, depth: int) -> dict[Any, Any]:
    return {dice.choice(_SCALARS)(dice): value(dice, depth - 1) for _ in range(dice.randrange(4))}


_SCALARS: tuple[Callable[[random.Random], Any], ...] = (
    lambda dice: dice.choice((None, True, False, math.nan, math.inf, 1.5, 1e300)),
    lambda dice: dice.choice((0, 1, -1, 2**31, 2**63, -(2**63), 2**64 - 1, 1_700_000_000)),
    lambda dice: "".join(dice.choice('aé\0\n"\\{_한😀') for _ in range(dice.randrange(40))),
    lambda dice: dice.randbytes(dice.randrange(40)),
    lambda dice: msgpack.ExtType(dice.randrange(128), dice.randbytes(dice.choice((1, 4, 8, 12)))),
    lambda dice: msgpack.Timestamp(dice.randrange(2**34), dice.randrange(10**9)),
    lambda dice: dice.choice(("chunk", "log", "timestamp", "_id")),
)


def message(dice: random.Random) -> bytes:
    """A forward message of any mode, mostly sound."""
    tag = dice.choice(("t", b"t\xff", "docker.web"))
    option = dice.choice(
        ({}, None, {"chunk": "id"}, {"chunk": b"\xff\x80"}, {"fluent_signal": 1}, value(dice))
    )
    entries = [[_SCALARS[dice.randrange(7)](dice), _record(dice)] for _ in range(dice.randrange(5))]
    packed = b"".join(msgpack.packb(entry) for entry in entries)
    method, compress = dice.choice(
        (
            ("gzip", gzip.compress),
            ("zstd", zstandard.compress),
            ("text", bytes),
            ("zlib", zlib.compress),
            ("?", bytes),
        )
    )
    return bytes(
        msgpack.packb(
            dice.choice(
                (
                    [tag, value(dice, 0), _record(dice), option],
                    [tag, 1_700_000_000, _record(dice)],
                    [tag, entries, option],
                    [tag, packed, option],
                    [tag, mutated(dice, compress(packed)), {"compressed": method, "chunk": "id"}],
                )
            )
        )
    )


def _record(dice: random.Random) -> Any:
    if dice.random() < 0.1:
        return value(dice)
    return {"log": value(dice, 2), "source": "stdout", dice.choice(("k", 5, b"\xff")): value(dice, 3)}


def json_message(dice: random.Random) -> bytes:
    text = json.dumps(
        [dice.choice(("t", 5)), 1_700_000_000, {"log": dice.choice(("x", "\ud800", "]["))}, {"chunk": "q"}]
    )
    return dice.choice((b"", b" \n")) + text.encode() + dice.choice((b"", b"\n"))


def gelf_message(dice: random.Random) -> bytes:
    fields = {
        "version": "1.1",
        "host": "h",
        "short_message": dice.choice(("a", "\ud800", "\0", 5, "x" * 300)),
        "level": dice.choice((6, "3", None)),
        "timestamp": dice.choice((1, 1.5, "1.25", 1e300, None)),
        "_a": dice.choice(("b", 1, [1, ["_x"]])),
        "_tag": "t",
    }
    keys = list(fields)
    if dice.random() < 0.5:
        dice.shuffle(keys)
    separators = dice.choice(((",", ":"), (", ", ": ")))
    return json.dumps({key: fields[key] for key in keys[dice.randrange(3) :]}, separators=separators).encode()
