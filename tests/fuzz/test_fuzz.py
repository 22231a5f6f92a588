"""Any bytes give frames or DecodeError, nothing else; whole and in pieces the same; memory stays bounded.

LOGDOCK_FUZZ_SECONDS is for all together. A failure names its seed; LOGDOCK_FUZZ_SEED=that runs it alone.
"""

import gzip
import itertools
import os
import random
import resource
import time
import zlib
from collections import Counter
from collections.abc import Callable

import orjson
import pytest

from parsers import gelf
from parsers.boundaries import Boundaries
from parsers.chunks import ChunkAssembler
from parsers.forward import ForwardSplitter, decode
from parsers.record import DecodeError, Record, nanoseconds
from tests.fuzz import inputs
from tests.parsers.wire import Fed, Splitter, feed

SECONDS = float(os.environ.get("LOGDOCK_FUZZ_SECONDS", "20"))
SEED = os.environ.get("LOGDOCK_FUZZ_SEED")
MAX_GROWTH = 400 << 20  # bytes of memory that a fuzzer may add; no input is longer than some 100 KiB
LEAST = 50  # inputs, however slow the machine

FORWARD = inputs.captures("forward.bin")
GELF_TCP = inputs.captures("gelf-tcp.bin")
DATAGRAMS = inputs.datagrams()

Check = Callable[[random.Random], None]


def check_forward(dice: random.Random) -> None:
    data = _stream(dice, FORWARD, lambda: b"".join(inputs.message(dice) for _ in range(dice.randrange(1, 6))))
    records = _decoded(_fed(dice, ForwardSplitter, data))
    for record in records:
        assert isinstance(record.tag, str)
        nanoseconds(record.time)
        orjson.dumps([record.tag, record.record, record.option], default=bytes.hex)


def _decoded(fed: Fed) -> list[Record]:
    """All frames at once and each alone must give the same records and skip the same."""
    skipped: Counter[str] = Counter()
    records = list(decode(fed.raw, fed.count, skipped))
    alone: Counter[str] = Counter()
    raw, ends = Boundaries().feed(fed.raw)
    assert (raw, len(ends)) == (fed.raw, fed.count)
    frames = [raw[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    assert records == [record for frame in frames for record in decode(frame, 1, alone)]
    assert skipped == alone
    return records


def check_json(dice: random.Random) -> None:
    data = b"".join(inputs.json_message(dice) for _ in range(dice.randrange(1, 6))).lstrip()
    _decoded(_fed(dice, ForwardSplitter, inputs.mutated(dice, data)))


def check_decode(dice: random.Random) -> None:
    """The journal's bytes are ours, but a damaged disk's need not be."""
    raw = inputs.mutated(dice, inputs.message(dice)) + inputs.noise(dice)
    records = list(decode(raw, dice.choice((0, 1, 2, 1000)), max_inflated=dice.choice((10, 10_000))))
    assert all(isinstance(record, Record) for record in records)


def check_gelf(dice: random.Random) -> None:
    data = _stream(
        dice,
        GELF_TCP,
        lambda: b"".join(inputs.gelf_message(dice) + b"\0" for _ in range(dice.randrange(1, 6))),
    )
    fed = _fed(dice, gelf.NulSplitter, data)
    frames = gelf.split(fed.raw)
    assert len(frames) == fed.count
    for frame in frames:
        _gelf(frame, fed.raw.find(frame))


def check_datagrams(dice: random.Random) -> None:
    compress = dice.choice((bytes, gzip.compress, zlib.compress))
    known = dice.choice((dice.choice(DATAGRAMS), compress(inputs.gelf_message(dice)), inputs.noise(dice)))
    payload = inputs.mutated(dice, known)
    gelf.looks_like_gelf(payload)
    try:
        text = gelf.inflate(payload, limit=100_000)
    except DecodeError:
        return
    assert len(text) <= max(100_000, len(payload))
    _gelf(text, 0)


def _gelf(text: bytes, at: int) -> None:
    """The quick way and the slow one agree, in the message or in the refusal."""
    assert at >= 0
    quick, slow = (_message_or_reason(way, text) for way in (gelf.decode, gelf._decode_any))
    assert quick == slow
    if isinstance(quick, gelf.GelfMessage):
        orjson.dumps([quick.host, quick.short_message, quick.full_message, quick.timestamp, quick.extra])
        assert quick.level is None or isinstance(quick.level, int)


def _message_or_reason(way: Callable[[bytes], gelf.GelfMessage], text: bytes) -> gelf.GelfMessage | str:
    try:
        return way(text)
    except DecodeError as error:
        return error.reason


def check_chunks(dice: random.Random) -> None:
    chunks = ChunkAssembler(max_pending=6, max_bytes=4000)
    now = 0.0
    for _ in range(40):
        payload = dice.randbytes(dice.randrange(300))
        pieces = _chunked(dice, payload)
        spoiled = dice.random() < 0.5
        sent = [inputs.mutated(dice, piece) for piece in pieces] if spoiled else pieces * dice.randrange(1, 3)
        dice.shuffle(sent)
        whole = [
            got for piece in sent if (got := chunks.feed(piece, dice.choice("ab") if spoiled else "c", now))
        ]
        assert spoiled or [got for got in whole if got == payload] == [payload] * bool(payload)
        assert chunks.pending <= 6 and chunks.buffered <= 4000
        now += dice.choice((0, 0.1, 3, 6))
    chunks.expire(now + 6)
    assert (chunks.pending, chunks.buffered) == (0, 0)


def _chunked(dice: random.Random, payload: bytes) -> list[bytes]:
    size = dice.randrange(3, 200)
    count = len(payload) // size + 1
    head = b"\x1e\x0f" + dice.randbytes(8)
    return [head + bytes((n, count)) + payload[n * size : (n + 1) * size] for n in range(count)]


def _stream(dice: random.Random, seeds: list[bytes], structured: Callable[[], bytes]) -> bytes:
    kind = dice.random()
    if kind < 0.1:
        return inputs.noise(dice)
    return inputs.mutated(dice, dice.choice(seeds) if kind < 0.4 else structured())


def _fed(dice: random.Random, new: Callable[[], Splitter], data: bytes) -> Fed:
    """The same bytes whole and in random pieces."""
    whole, pieces = feed(new(), [data]), feed(new(), inputs.cut(dice, data))
    if whole.error is not None:  # what is left behind an error is nobody's
        whole, pieces = whole._replace(buffered=0), pieces._replace(buffered=0)
    assert whole == pieces
    assert whole.buffered <= len(data)
    return whole


def memory() -> int:
    """The most that this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


CHECKS: list[Check] = [check_forward, check_json, check_decode, check_gelf, check_datagrams, check_chunks]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_fuzz(check: Check) -> None:
    if SEED is not None:
        check(random.Random(SEED))
        return
    before, first = memory(), random.SystemRandom().getrandbits(32)
    deadline = time.monotonic() + SECONDS / len(CHECKS)
    for number in itertools.count():
        if number >= LEAST and time.monotonic() >= deadline:
            break
        _run(check, f"{first}-{number}")
    assert memory() - before < MAX_GROWTH


def _run(check: Check, seed: str) -> None:
    try:
        check(random.Random(seed))
    except Exception as error:
        raise AssertionError(f"{check.__name__} fails: run it alone with LOGDOCK_FUZZ_SEED={seed}") from error
