"""What a template may cost. Go has no such limits; a tag that needs more is no tag."""

from __future__ import annotations

from typing import Final

from parsers.go.errors import LimitError

# Bytes of one text: of all that a template prints, and of what one function gives. A tag has a hundred; with
# `logs --format` it is the longest line that is kept whole (1 MiB) and what is printed around it.
MAX_OUTPUT: Final = 4 << 20
# Commands, nodes and passes of loops: a tag of a person's has tens, a loop over all labels hundreds.
MAX_STEPS: Final = 100_000
# Bytes that go into functions and come out of them, in all: what variables can hold, and time.
MAX_WORK: Final = 16 << 20
# Frames of Python's stack (of 1,000) that nested actions, parentheses and templates may use. Go has 100,000
# templates within templates.
MAX_FRAMES: Final = 600


def check_size(size: int) -> None:
    """Raises LimitError when a text would be too long."""
    if size > MAX_OUTPUT:
        raise LimitError(f"makes a text of more than {MAX_OUTPUT} bytes, which is as far as this reader goes")


class Buffer:
    """Bytes that are put together, no more than MAX_OUTPUT."""

    def __init__(self) -> None:
        self._parts = bytearray()

    def write(self, data: bytes) -> None:
        check_size(len(self._parts) + len(data))
        self._parts += data

    def fill(self, byte: bytes, count: int) -> None:
        if count > 0:
            check_size(len(self._parts) + count)
            self._parts += byte * count

    def value(self) -> bytes:
        return bytes(self._parts)


class Meter:
    """The steps and the work of one execution."""

    def __init__(self) -> None:
        self._steps = 0
        self._work = 0

    def step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise LimitError(f"takes more than {MAX_STEPS} steps, which is as far as this reader goes")

    def work(self, size: int) -> None:
        self._work += size
        if self._work > MAX_WORK:
            raise LimitError(f"handles more than {MAX_WORK} bytes, which is as far as this reader goes")
