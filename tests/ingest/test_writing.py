"""A batch in one writev, also when the kernel takes only a part of it."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ingest import writing
from ingest.writing import Pending, cut_off, size_of, write_batch


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield fd
    os.close(fd)


def batch(*entries: tuple[bytes, bytes]) -> list[Pending]:
    return [Pending(header, raw, (), None) for header, raw in entries]


def content(fd: int) -> bytes:
    return os.pread(fd, 1 << 20, 0)


def test_everything_in_order(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "IOV_MAX", 3)
    many = batch(*((b"h%d" % n, b"raw%d" % n) for n in range(5)), (b"", b""), (b"end", b""))
    wanted = b"h0raw0h1raw1h2raw2h3raw3h4raw4end"
    assert write_batch(file, many) == len(wanted) == size_of(many)
    assert content(file) == wanted


@pytest.mark.parametrize("taken", [0, 1, 3, 7])
def test_a_short_write_is_finished(file: int, monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    def short(fd: int, buffers: Sequence[bytes]) -> int:
        return os.write(fd, b"".join(buffers)[:taken])

    monkeypatch.setattr(os, "writev", short)
    assert write_batch(file, batch((b"head", b"raw"), (b"er", b"more"))) == 13
    assert content(file) == b"headrawermore"


def test_a_failed_write_is_cut_off(file: int) -> None:
    write_batch(file, batch((b"kept", b"")))
    write_batch(file, batch((b"half of a failed batch", b"")))
    cut_off(file, 4)
    write_batch(file, batch((b"next", b"")))
    assert content(file) == b"keptnext"
