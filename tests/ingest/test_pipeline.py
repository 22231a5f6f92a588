"""From the journal to the store: the same events again from any checkpoint, and nothing lost on the way."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import journal as journal_module
from ingest import pipeline as pipeline_module
from ingest.entries import Kind, Protocol
from ingest.journal import Journal
from ingest.pipeline import RUN_JUMP, Pipeline
from ingest.udp import frame_payloads
from parsers.event import Event
from parsers.join import Joiner
from parsers.normalize import Normalizer
from storage.memory import MemoryStore
from storage.query import Query
from storage.store import Checkpoint, StoreUnavailable
from storage.tail import Tail
from tests.ingest.bench import (
    ID,
    OTHER_ID,
    Journals,
    counted,
    entries,
    frame,
    packed_frames,
    part,
    put,
    until,
)

SECOND = 1_000_000_000
START = 1_795_482_000 * SECOND


class Recorder(MemoryStore):
    """Keeps every append apart. `safe` is what it is told to be."""

    def __init__(self) -> None:
        super().__init__()
        self.appends: list[tuple[list[Event], Checkpoint]] = []
        self.problems = 0
        self.durable: Checkpoint | None = None
        self.flushes = 0

    async def append(self, events: Sequence[Event], checkpoint: Checkpoint) -> None:
        if self.problems:
            self.problems -= 1
            raise StoreUnavailable("away")
        self.appends.append((list(events), checkpoint))
        await super().append(events, checkpoint)

    def safe(self) -> Checkpoint | None:
        return self.durable

    async def flush(self) -> None:
        self.flushes += 1
        self.durable = self.appends[-1][1]

    @property
    def events(self) -> list[Event]:
        return [event for events, _ in self.appends for event in events]

    @property
    def messages(self) -> list[str]:
        return [event.message for event in self.events]


class House:
    """A pipeline between a journal and a recorder."""

    def __init__(
        self, journal: Journal, checkpoint: Checkpoint | None = None, *, joiner: Joiner | None = None
    ) -> None:
        self.journal = journal
        self.store = Recorder()
        self.tail = Tail(journal.metrics)
        self.joiner = joiner or Joiner()
        self.pipeline = Pipeline(
            journal, self.store, self.tail, Normalizer("here"), self.joiner, journal.metrics
        )
        self.pipeline.restore(checkpoint)
        self.task: asyncio.Task[None] | None = None

    async def read_all(self) -> list[Event]:
        """Run until the journal's end."""
        self.pipeline.stop()
        await asyncio.wait_for(self.pipeline.run(), 60)
        return self.store.events

    def start(self) -> None:
        self.task = asyncio.create_task(self.pipeline.run())

    async def stop(self) -> None:
        assert self.task is not None
        self.pipeline.stop()
        await asyncio.wait_for(self.task, 10)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_module, "RETRY_SECONDS", 0.005)
    monkeypatch.setattr(pipeline_module, "GATHER_SECONDS", 0.001)
    monkeypatch.setattr(pipeline_module, "TICK_NS", 10_000_000)
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.005)


@pytest.fixture
async def house(journals: Journals) -> AsyncIterator[House]:
    made = House(journals())
    yield made
    if made.task is not None:
        made.task.cancel()
        await asyncio.gather(made.task, return_exceptions=True)


# -- replay --------------------------------------------------------------------------------------------

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


# -- living --------------------------------------------------------------------------------------------


async def test_lines_reach_store_and_followers_at_once(house: House) -> None:
    follower = house.tail.follow(Query())
    house.start()
    for number in range(3):
        put(house.journal, frame(f"line {number}"))
        (event,) = await asyncio.wait_for(anext(follower), 10)  # type: ignore[misc]
        assert event.message == f"line {number}"
        assert house.store.messages[-1] == f"line {number}"
    assert (house.pipeline.lag_bytes, house.pipeline.lag_seconds) == (0, 0.0)
    await house.stop()


async def test_a_store_that_is_away_loses_nothing(house: House) -> None:
    house.store.problems = 5
    house.start()
    put(house.journal, *(frame(f"line {number}") for number in range(10)))
    await until(lambda: len(house.store.messages) == 10)
    assert house.store.messages == [f"line {number}" for number in range(10)]
    assert house.store.problems == 0
    await house.stop()


async def test_stop_hands_on_what_is_there(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_module, "READ_BYTES", 500)
    put(house.journal, *(frame(f"line {number}") for number in range(100)))
    house.start()
    await house.stop()
    assert len(house.store.messages) == 100


async def test_an_idle_journal_says_the_time(house: House) -> None:
    """A line that misses its last piece must not wait for somebody else's line."""
    house.joiner._timeout = 50_000_000
    house.start()
    put(house.journal, part("without an end", 1))
    await until(lambda: house.store.messages == ["without an end"])
    assert any(entry.kind is Kind.TICK for entry in entries(house.journal))
    position = house.journal.position
    await asyncio.sleep(0.05)
    assert house.journal.position == position  # nothing is held, so nothing is said
    await house.stop()


async def test_what_is_not_decoded_does_not_stop_the_others(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(house.journal, frame("before"), frame("one") + frame("odd") + frame("two"), frame("after"))
    real = Normalizer.forward

    def forward(self: Normalizer, records: Any, *rest: Any) -> Any:
        for item in real(self, records, *rest):
            if isinstance(item, Event) and item.message == "odd":
                raise ZeroDivisionError
            yield item

    monkeypatch.setattr(Normalizer, "forward", forward)
    await house.read_all()
    assert house.store.messages == ["before", "one", "after"]
    assert counted(house.journal.metrics.dropped, "undecodable") == 1
    (aside,) = house.journal.folder.glob("*.undecodable")
    assert aside.read_bytes() == frame("one") + frame("odd") + frame("two")
    again = House(house.journal, house.store.appends[-1][1])
    assert await again.read_all() == []


async def test_records_that_are_none_are_marked_or_counted(house: House) -> None:
    raw = b"\x93\xa3tag\x01" + b"\x81\xa1a" + b"\x91" * 900 + b"\xc0"
    signal = msgpack.packb(["tag", [[1, {"a": 1}]], {"fluent_signal": 1}])
    put(house.journal, raw, signal, frame("fine"))
    await house.read_all()
    assert house.store.messages[-1] == "fine"
    assert len(house.store.messages) == 2
    assert counted(house.journal.metrics.dropped, "signal") == 1


async def test_flags_are_counted(house: House) -> None:
    put(house.journal, part("a", 1), part("b", 2, last=True))
    await house.read_all()
    assert counted(house.journal.metrics.marked, "joined") == 1
    assert counted(house.journal.metrics.events) == 1


# -- forgetting ----------------------------------------------------------------------------------------


def fill(journal: Journal, size: int) -> None:
    put(journal, *(frame("x" * 1000) for _ in range(size // 1000)))


async def test_only_what_is_durable_is_forgotten(journals: Journals) -> None:
    house = House(journals(limit=1 << 20))
    first = house.journal.segments[0]
    fill(house.journal, 300_000)
    await house.read_all()
    assert house.journal.segments[0] is first
    assert house.store.flushes == 0  # there is no hurry
    house.store.durable = house.pipeline.checkpoint
    await house.pipeline._let_go()
    assert house.journal.segments[0] is not first


async def test_a_held_piece_keeps_its_segment(journals: Journals) -> None:
    house = House(journals(limit=1 << 20))
    put(house.journal, part("held", 1))
    first = house.journal.segments[0]
    fill(house.journal, 300_000)
    await house.read_all()
    house.store.durable = house.pipeline.checkpoint
    await house.pipeline._let_go()
    assert house.journal.segments[0] is first


async def test_a_journal_half_full_makes_the_store_durable(journals: Journals) -> None:
    house = House(journals(limit=1 << 20))
    house.start()
    for _ in range(5):
        fill(house.journal, 200_000)
        await until(lambda: house.pipeline.caught_up)
    assert house.journal.blocked is None
    await until(lambda: house.journal.size < 600_000)
    assert 0 < house.store.flushes <= 5
    await house.stop()


async def test_sealing_that_frees_nothing_is_not_repeated(journals: Journals) -> None:
    """A held piece pins the journal: every step would make a small file and win nothing."""
    house = House(journals(limit=1 << 20))
    put(house.journal, part("held", 1))
    for _ in range(7):
        fill(house.journal, 100_000)
    await house.read_all()
    assert house.journal.under_pressure
    assert house.store.flushes == 0


async def test_a_full_journal_goes_on_when_the_store_is_durable_at_last(journals: Journals) -> None:
    """Nothing new can be written, so nothing but the clock can wake the pipeline."""
    house = House(journals(limit=1 << 20))
    flushing: Callable[[], Any] = house.store.flush

    async def away() -> None:
        raise StoreUnavailable("away")

    house.store.flush = away  # type: ignore[method-assign]
    house.start()
    for _ in range(12):
        fill(house.journal, 100_000)
    assert house.journal.blocked
    await until(lambda: house.pipeline.caught_up)
    await asyncio.sleep(0.03)
    assert house.journal.blocked
    house.store.flush = flushing  # type: ignore[method-assign]
    await until(lambda: house.journal.blocked is None)
    await until(lambda: len(house.store.messages) == 1200)
    await house.stop()


async def test_a_held_piece_does_not_block_a_full_journal_for_ever(journals: Journals) -> None:
    house = House(journals(limit=1 << 20))
    house.joiner._timeout = 100_000_000
    house.start()
    put(house.journal, part("held", 1))
    for _ in range(12):
        fill(house.journal, 100_000)
    assert house.journal.blocked
    await until(lambda: house.journal.blocked is None)
    await until(lambda: len(house.store.messages) == 1201)
    await house.stop()
