"""Journals written at random: every kind of record, in every order that senders are free to choose."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import msgpack
from hypothesis import strategies as st

from ingest.entries import Kind, Protocol, frame_payloads
from ingest.journal import Journal
from tests.ingest.bench import ID, OTHER_ID, Journals, frame, packed_frames, part

SECOND = 1_000_000_000
START = 1_795_482_000 * SECOND
PIECE = 16_384

NAMES = {ID: "/shop-web-1", OTHER_ID: "/shop-db-1"}


def set_clock() -> SimpleNamespace:
    """A stand-in for the module `time` that stands still."""
    clock = SimpleNamespace(now=START)
    clock.time_ns, clock.time, clock.monotonic = lambda: clock.now, lambda: clock.now / 1e9, lambda: 0.0
    return clock


def of(container: str, stream: str = "stdout") -> dict[str, Any]:
    return {"container_id": container, "container_name": NAMES[container], "source": stream}


class Script:
    """Writes a journal as operations say; each operation is a method and its arguments."""

    def __init__(self, journals: Journals, clock: SimpleNamespace) -> None:
        self.journals = journals
        self.clock = clock
        self.journal = self.open()
        self.lines = 0
        self.latest: dict[int, bytes] = {}  # by connection: its latest frame

    def open(self) -> Journal:
        """With small segments, but nothing is forgotten: it is read many times."""
        journal = self.journals(limit=1 << 30)
        journal._segment_bytes = 1 << 16
        return journal

    async def run(self, operations: Sequence[tuple[Any, ...]]) -> Journal:
        for name, *arguments in operations:
            await getattr(self, name)(*arguments)
            self.journal.flush()
        return self.journal

    def text(self, size: int = 0) -> str:
        self.lines += 1
        return f"line {self.lines}".ljust(size, ".")

    def put(self, connection: int, *frames: bytes) -> None:
        stamped = [self.stamped(one) for one in frames]
        self.latest[connection] = stamped[-1]
        self.write(connection, stamped)

    def stamped(self, one: bytes) -> bytes:
        """With a time of about now, not always in order."""
        message = msgpack.unpackb(one)
        message[1] = self.clock.now // SECOND - self.lines % 3
        return bytes(msgpack.packb(message))

    def write(self, connection: int, frames: Sequence[bytes]) -> None:
        raw = b"".join(frames)
        self.journal.append(Kind.DATA, Protocol.FORWARD, connection, b"10.0.0.1", raw, len(frames))

    async def whole(self, connection: int, count: int, container: str) -> None:
        self.put(connection, *(frame(self.text(), **of(container)) for _ in range(count)))

    async def again(self, connection: int, count: int) -> None:
        """The connection's latest frame, as senders repeat what was not acknowledged."""
        if connection in self.latest:
            self.write(connection, [self.latest[connection]] * count)

    async def piece(self, connection: int, line: int, ordinal: int, last: bool, stream: str) -> None:
        self.put(connection, part(self.text(), ordinal, last=last, line=f"p{line}", **of(ID, stream)))

    async def huge(self, connection: int, line: int, ordinals: list[int], last: int) -> None:
        """Pieces of full size, in one entry."""
        self.put(connection, *(
            part(self.text(PIECE), ordinal, last=ordinal == last, line=f"h{line}", **of(ID))
            for ordinal in ordinals
        ))  # fmt: skip

    async def old_piece(self, connection: int, size: int, count: int) -> None:
        """Without an id. A short one may end a line, or be one with a label called partial_message."""
        self.put(connection, *(
            frame(self.text(size), partial_message="true", **of(OTHER_ID)) for _ in range(count)
        ))  # fmt: skip

    async def labelled(self, connection: int, label: str) -> None:
        """Lines with a label that only looks like a mark."""
        self.put(connection, frame(self.text(), partial_message=label, **of(OTHER_ID)))

    async def mixed(self, connection: int, line: int, ordinal: int, count: int) -> None:
        """A piece in the middle of an entry."""
        around = [frame(self.text(), **of(ID)) for _ in range(2 * count)]
        middle = part(self.text(), ordinal, line=f"p{line}", **of(ID))
        self.put(connection, *around[:count], middle, *around[count:])

    async def pieces(self, connection: int, first: int, ordinals: list[int]) -> None:
        """Pieces of two lines by turns in one entry; the first line may be whole within it."""
        lines = (f"p{first}", f"q{first}")
        frames = [
            part(self.text(), ordinal, last=ordinal == 3 and line == lines[0], line=line, **of(ID))
            for ordinal in ordinals
            for line in lines
        ]
        self.put(connection, *frames)

    async def packed(self, connection: int, count: int) -> None:
        self.write(connection, [packed_frames([self.text() for _ in range(count)])])

    async def gelf(self, count: int, broken: bool) -> None:
        payloads = [b'{"short_message":"%s"}' % self.text().encode() for _ in range(count)]
        raw = frame_payloads([*payloads, b"{broken"] if broken else payloads)
        self.journal.append(Kind.DATA, Protocol.GELF_UDP, 0, b"10.0.0.2", raw, count)

    async def close(self, connection: int) -> None:
        self.journal.append(Kind.CLOSE, Protocol.FORWARD, connection)

    async def ticks(self, count: int) -> None:
        for _ in range(count):
            self.clock.now += SECOND // 2
            self.journal.tick()

    async def wait(self, seconds: int) -> None:
        """Below zero the clock was set back."""
        self.clock.now += seconds * SECOND

    async def restart(self) -> None:
        self.journal.flush()
        await self.journals.kill(self.journal)
        self.journal = self.open()


CONNECTION = st.integers(1, 3)
LINE = st.integers(1, 2)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("whole"), CONNECTION, st.integers(1, 5), st.sampled_from([ID, OTHER_ID])),
        st.tuples(st.just("again"), CONNECTION, st.integers(1, 3)),
        st.tuples(
            st.just("piece"), CONNECTION, LINE, st.integers(1, 4), st.booleans(),
            st.sampled_from(["stdout", "stderr"]),
        ),
        st.tuples(
            st.just("huge"), CONNECTION, LINE, st.lists(st.integers(1, 9), min_size=1, max_size=6),
            st.integers(3, 9),
        ),
        st.tuples(
            st.just("old_piece"), CONNECTION, st.sampled_from([0, PIECE, PIECE]), st.integers(1, 4)
        ),
        st.tuples(st.just("labelled"), CONNECTION, st.sampled_from(["no", "false", "true", ""])),
        st.tuples(st.just("mixed"), CONNECTION, LINE, st.integers(1, 4), st.integers(0, 6)),
        st.tuples(
            st.just("pieces"), CONNECTION, LINE, st.lists(st.integers(1, 3), unique=True, min_size=1)
        ),
        st.tuples(st.just("packed"), CONNECTION, st.integers(0, 30)),
        st.tuples(st.just("gelf"), st.integers(1, 5), st.booleans()),
        st.tuples(st.just("close"), CONNECTION),
        st.tuples(st.just("ticks"), st.integers(1, 50)),
        st.tuples(st.just("wait"), st.one_of(st.integers(0, 40), st.integers(-7200, 7200))),
        st.tuples(st.just("restart")),
    ),
    max_size=25,
)  # fmt: skip
