"""The same events again from any checkpoint."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import journal as journal_module
from ingest import pipeline as pipeline_module
from ingest.entries import Kind, Protocol, frame_payloads
from ingest.journal import Journal
from parsers.event import Event
from storage.store import RUN_JUMP
from tests.ingest.bench import (
    ID,
    OTHER_ID,
    Journals,
    counted,
    frame,
    packed_frames,
    part,
    put,
)
from tests.ingest.handing_on import House

SECOND = 1_000_000_000
START = 1_795_482_000 * SECOND


NAMES = {ID: "/shop-web-1", OTHER_ID: "/shop-db-1"}


def of(container: str, stream: str = "stdout") -> dict[str, Any]:
    return {"container_id": container, "container_name": NAMES[container], "source": stream}


class Script:
    """Writes a journal as operations say; each operation is a method and its arguments."""

    def __init__(self, journals: Journals) -> None:
        self.journals = journals
        self.journal = journals(limit=1 << 19)
        self.lines = 0

    async def run(self, operations: Sequence[tuple[Any, ...]]) -> Journal:
        for name, *arguments in operations:
            await getattr(self, name)(*arguments)
            self.journal.flush()
        return self.journal

    def text(self) -> str:
        self.lines += 1
        return f"line {self.lines}"

    def put(self, connection: int, *frames: bytes) -> None:
        self.journal.append(
            Kind.DATA, Protocol.FORWARD, connection, b"10.0.0.1", b"".join(frames), len(frames)
        )

    async def whole(self, connection: int, count: int, container: str) -> None:
        self.put(connection, *(frame(self.text(), **of(container)) for _ in range(count)))

    async def piece(self, connection: int, line: int, ordinal: int, last: bool, stream: str) -> None:
        self.put(connection, part(self.text(), ordinal, last=last, line=f"p{line}", **of(ID, stream)))

    async def old_piece(self, connection: int, size: int) -> None:
        text = self.text().ljust(size, ".")
        self.put(connection, frame(text, partial_message="true", **of(OTHER_ID)))

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
        self.put(connection, packed_frames([self.text() for _ in range(count)]))

    async def gelf(self, count: int, broken: bool) -> None:
        payloads = [b'{"short_message":"%s"}' % self.text().encode() for _ in range(count)]
        raw = frame_payloads([*payloads, b"{broken"] if broken else payloads)
        self.journal.append(Kind.DATA, Protocol.GELF_UDP, 0, b"10.0.0.2", raw, count)

    async def close(self, connection: int) -> None:
        self.journal.append(Kind.CLOSE, Protocol.FORWARD, connection)

    async def tick(self) -> None:
        self.journal.tick()

    async def wait(self, seconds: int) -> None:
        journal_module.time.now += seconds * SECOND  # type: ignore[attr-defined]

    async def restart(self) -> None:
        self.journal.flush()
        await self.journals.kill(self.journal)
        self.journal = self.journals(limit=1 << 19)


CONNECTION = st.integers(1, 3)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("whole"), CONNECTION, st.integers(1, 5), st.sampled_from([ID, OTHER_ID])),
        st.tuples(
            st.just("piece"), CONNECTION, st.integers(1, 2), st.integers(1, 4), st.booleans(),
            st.sampled_from(["stdout", "stderr"]),
        ),
        st.tuples(st.just("old_piece"), CONNECTION, st.just(16_384)),
        st.tuples(st.just("mixed"), CONNECTION, st.integers(1, 2), st.integers(1, 4), st.integers(0, 6)),
        st.tuples(
            st.just("pieces"), CONNECTION, st.integers(1, 2),
            st.lists(st.integers(1, 3), unique=True, min_size=1),
        ),
        st.tuples(st.just("packed"), CONNECTION, st.integers(0, 30)),
        st.tuples(st.just("gelf"), st.integers(1, 5), st.booleans()),
        st.tuples(st.just("close"), CONNECTION),
        st.tuples(st.just("tick")),
        st.tuples(st.just("wait"), st.integers(0, 40)),
        st.tuples(st.just("restart")),
    ),
    max_size=25,
)  # fmt: skip


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS, read=st.sampled_from([1, 700, 1 << 18]), size=st.sampled_from([1, 3, 7]))
async def test_any_checkpoint_gives_the_same_events(
    monkeypatch: pytest.MonkeyPatch, operations: list[tuple[Any, ...]], read: int, size: int
) -> None:
    """What was stored up to a checkpoint and what a restart makes from there is what one run makes.

    Old engines' pieces are of full size here: short ones may be lines with a label called partial_message,
    and which container has one is not in a checkpoint.
    """
    clock = SimpleNamespace(now=START)
    clock.time_ns, clock.time, clock.monotonic = lambda: clock.now, lambda: clock.now / 1e9, lambda: 0.0
    monkeypatch.setattr(journal_module, "time", clock)
    monkeypatch.setattr(pipeline_module, "READ_BYTES", read)
    monkeypatch.setattr(pipeline_module, "SLICE_EVENTS", size)
    with tempfile.TemporaryDirectory() as folder:
        journals = Journals(Path(folder))
        journal = await Script(journals).run(operations)
        whole = House(journal)
        wanted = await whole.read_all()
        check_order(wanted)
        stored: list[Event] = []
        for events, checkpoint in whole.store.appends:
            stored += events
            again = House(journal, checkpoint)
            rest = await again.read_all()
            assert stored + rest == wanted
            assert again.pipeline.checkpoint == whole.pipeline.checkpoint
        await journals.close_all()


def check_order(events: Sequence[Event]) -> None:
    offsets = [event.offset for event in events]
    assert offsets == sorted(set(offsets))
    assert len({event.id for event in events}) == len(events)
    assert len({event.sequence for event in events}) == len(events)
    by_place = sorted(events, key=lambda event: (event.position, event.index))
    assert sorted(events, key=lambda event: event.sequence) == by_place


async def test_a_checkpoint_inside_an_entry(journals: Journals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_module, "SLICE_EVENTS", 10)
    journal = journals()
    put(journal, packed_frames([str(number) for number in range(95)]))
    whole = House(journal)
    events = await whole.read_all()
    assert [event.message for event in events] == [str(number) for number in range(95)]
    assert [event.index for event in events] == list(range(95))
    inside = [checkpoint for _, checkpoint in whole.store.appends if checkpoint.index]
    assert [checkpoint.index for checkpoint in inside] == list(range(10, 100, 10))
    assert {checkpoint.next for checkpoint in inside} == {events[0].position}
    rest = await House(journal, inside[4]).read_all()
    assert rest == events[50:]


async def test_a_line_over_a_restart_keeps_its_place(journals: Journals) -> None:
    """Its first piece was read by the process before; the connection lives on in the same run."""
    journal = journals()
    put(journal, frame("before"), part("a" * 10, 1), frame("between"))
    first = House(journal)
    await first.read_all()
    assert first.store.messages == ["before", "between"]
    (held,) = first.pipeline.checkpoint.held
    put(journal, part("b" * 10, 2, last=True), frame("after"))
    second = House(journal, first.pipeline.checkpoint)
    await second.read_all()
    assert second.store.messages == ["a" * 10 + "b" * 10, "after"]
    joined = second.store.events[0]
    assert (joined.position, joined.sequence) == (held.position, held.sequence)
    assert joined.sequence == first.store.events[0].sequence + 1
    assert joined.offset == first.store.events[1].offset + 1


async def test_every_run_jumps(journals: Journals) -> None:
    """After a power cut the journal's end may be gone, but its numbers may be stored."""
    first = journals()
    put(first, frame("one"))
    (one,) = await House(first).read_all()
    assert (one.sequence, one.offset) == (RUN_JUMP, RUN_JUMP)
    await journals.kill(first)
    second = journals()
    put(second, frame("two"))
    one_again, two = await House(second).read_all()
    assert one_again == one
    assert (two.sequence, two.offset) == (2 * RUN_JUMP + 1, 2 * RUN_JUMP + 1)


async def test_only_what_was_held_is_fed_again(journals: Journals) -> None:
    """One entry with a line that left and a piece that stays."""
    journal = journals()
    put(journal, part("a", 1, line="x") + part("left alone", 1, line="y") + part("b", 2, line="x", last=True))
    first = House(journal)
    await first.read_all()
    assert first.store.messages == ["ab"]
    put(journal, part(" no more", 2, line="y", last=True))
    second = House(journal, first.pipeline.checkpoint)
    await second.read_all()
    assert second.store.messages == ["left alone no more"]
    assert second.pipeline.checkpoint.held == ()


async def test_what_was_known_of_a_connection_ends_with_its_run(journals: Journals) -> None:
    """The first connection of the next process may be another host's."""
    first = journals()
    put(first, frame("one"))
    await journals.kill(first)
    second = journals()
    second.append(Kind.DATA, Protocol.FORWARD, 1, b"10.0.0.2", frame("two"), 1)
    second.flush()
    events = await House(second).read_all()
    assert [event.origin.host for event in events] == ["10.0.0.1", "10.0.0.2"]


async def test_a_run_ends_the_lines_of_the_one_before(journals: Journals) -> None:
    """Connection numbers begin at 1 again: pieces of different runs must not meet."""
    first = journals()
    put(first, part("cut off", 1))
    await journals.kill(first)
    second = journals()
    put(second, part("another", 2, last=True), frame("plain"))
    events = await House(second).read_all()
    assert [event.message for event in events] == ["cut off", "plain"]
    assert "unterminated" in events[0].flags
    assert events[0].offset < 2 * RUN_JUMP < events[1].offset


async def test_the_end_of_a_connection_ends_its_lines_only(journals: Journals) -> None:
    journal = journals()
    put(journal, part("one", 1), connection=1)
    put(journal, part("two", 1), connection=2)
    journal.append(Kind.CLOSE, Protocol.FORWARD, 1)
    journal.flush()
    house = House(journal)
    await house.read_all()
    assert house.store.messages == ["one"]
    assert len(house.pipeline.checkpoint.held) == 1


async def test_replayed_records_are_counted(journals: Journals) -> None:
    first = journals()
    put(first, frame("one") + frame("two"), frame("three"))
    await journals.kill(first)
    second = journals()
    put(second, frame("new"))
    house = House(second)
    assert not house.pipeline.ready
    await house.read_all()
    assert house.pipeline.ready
    assert house.pipeline.replayed == 3
    assert counted(second.metrics.replayed) == 3
    assert counted(second.metrics.records, "forward") == 4
