"""What waits to be written to the journal, and how it gets into the file: whole, in order, or not at all."""

import os
from collections.abc import Callable, Sequence

import msgspec

PENDING_BYTES = 400  # what an entry that waits costs in memory besides its bytes
IOV_MAX = 1000  # writev takes 1024 buffers on Linux (limits.h)

Done = Callable[[], None]  # what to call once something is safe in the journal


class Pending(msgspec.Struct, gc=False):
    """An entry that is not written yet; without bytes, one that only waits for those before it."""

    header: bytes
    raw: bytes
    keys: tuple[bytes, ...]
    done: Done | None


def size_of(batch: Sequence[Pending]) -> int:
    return sum(len(p.header) + len(p.raw) for p in batch)


def write_batch(fd: int, batch: Sequence[Pending]) -> int:
    """Write all of it; how many bytes. Raises OSError, after which `cut_off` has to be called."""
    buffers = [part for p in batch for part in (p.header, p.raw) if part]
    return sum(_writev_all(fd, buffers[at : at + IOV_MAX]) for at in range(0, len(buffers), IOV_MAX))


def cut_off(fd: int, size: int) -> None:
    """Take back what a failed write may have written beyond `size`."""
    os.ftruncate(fd, size)
    os.lseek(fd, size, os.SEEK_SET)


def _writev_all(fd: int, buffers: list[bytes]) -> int:
    total = sum(map(len, buffers))
    written = os.writev(fd, buffers)
    if written == total:
        return written
    rest = memoryview(b"".join(buffers))  # a short write: rare (disk nearly full, signal), so copying is fine
    while written < total:
        written += os.write(fd, rest[written:])
    return written
