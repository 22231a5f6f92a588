"""The same events again from any checkpoint."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import journal as journal_module
from ingest import making as making_module
from ingest.entries import Kind, Protocol
from ingest.journal import Journal
from parsers.event import Event
from parsers.join import Joiner
from storage.store import RUN_JUMP, Checkpoint
from tests.ingest.bench import ID, OTHER_ID, Journals, counted, frame, packed_frames, part, put
from tests.ingest.handing_on import House
from tests.ingest.script import OPERATIONS, PIECE, Script, set_clock


def joiner() -> Joiner:
    """Small enough for all its limits to be met."""
    return Joiner(max_bytes=3 * PIECE, max_held=5 * PIECE, max_open=3)


def unordered(events: Sequence[Event]) -> list[Event]:
    """Without what depends on lines that a restart does not read again (parsers/clock.py)."""
    return [
        msgspec.structs.replace(event, flags=tuple(flag for flag in event.flags if flag != "out_of_order"))
        for event in events
    ]


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS, read=st.sampled_from([1, 700, 1 << 18]), size=st.sampled_from([1, 3, 7]))
async def test_any_checkpoint_gives_the_same_events(
    monkeypatch: pytest.MonkeyPatch, operations: list[tuple[Any, ...]], read: int, size: int
) -> None:
    """What was stored up to a checkpoint and what a restart makes from there is what one run makes."""
    async with scripted(monkeypatch, operations, read, size) as journal:
        whole = House(journal, joiner=joiner())
        wanted = await whole.read_all()
        check_order(wanted)
        stored: list[Event] = []
        for events, checkpoint in whole.store.appends:
            stored += events
            again = House(journal, checkpoint, joiner=joiner())
            rest = await again.read_all()
            assert unordered(stored + rest) == unordered(wanted)
            assert again.pipeline.checkpoint == whole.pipeline.checkpoint


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    operations=OPERATIONS,
    read=st.sampled_from([1, 700]),
    size=st.sampled_from([1, 3]),
    kills=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=1, max_size=6),
)
async def test_killed_again_and_again_it_stores_the_same_events(
    monkeypatch: pytest.MonkeyPatch,
    operations: list[tuple[Any, ...]],
    read: int,
    size: int,
    kills: list[tuple[int, int]],
) -> None:
    """Each run is killed after some steps, and what it has stored is ahead of what is durable: the next one
    stores some events a second time, under the same ids."""
    async with scripted(monkeypatch, operations, read, size) as journal:
        wanted = await House(journal, joiner=joiner()).read_all()
        stored: dict[str, Event] = {}
        checkpoint: Checkpoint | None = None
        for steps, behind in [*kills, (1 << 30, 0)]:
            run = House(journal, checkpoint, joiner=joiner())
            await run.read_all()
            appends = run.store.appends[: steps + 1]
            for event in (event for events, _ in appends for event in events):
                stored.setdefault(event.id, event)
            checkpoint = appends[max(0, len(appends) - 1 - behind)][1] if appends else checkpoint
        assert unordered(sorted(stored.values(), key=lambda event: event.offset)) == unordered(wanted)


@asynccontextmanager
async def scripted(
    monkeypatch: pytest.MonkeyPatch, operations: list[tuple[Any, ...]], read: int, size: int
) -> AsyncIterator[Journal]:
    clock = set_clock()
    monkeypatch.setattr(journal_module, "time", clock)
    monkeypatch.setattr(making_module, "READ_BYTES", read)
    monkeypatch.setattr(making_module, "SLICE_EVENTS", size)
    with tempfile.TemporaryDirectory() as folder:
        journals = Journals(Path(folder))
        try:
            yield await Script(journals, clock).run(operations)
        finally:
            await journals.close_all()


def check_order(events: Sequence[Event]) -> None:
    offsets = [event.offset for event in events]
    assert offsets == sorted(set(offsets))
    assert len({event.id for event in events}) == len(events)
    assert len({event.sequence for event in events}) == len(events)
    by_place = sorted(events, key=lambda event: (event.position, event.index))
    assert sorted(events, key=lambda event: event.sequence) == by_place


async def test_a_checkpoint_inside_an_entry(journals: Journals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making_module, "SLICE_EVENTS", 10)
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


async def test_what_a_restart_does_not_read_again_does_not_count(
    journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece that came twice, 20 s after the first: neither run waits longer for its line."""
    clock = set_clock()
    monkeypatch.setattr(journal_module, "time", clock)
    script = Script(journals, clock)
    story = [("piece", 1, 1, 1, False, "stdout"), ("ticks", 40), ("again", 1, 1)]
    first = House(await script.run(story))
    await first.read_all()
    await script.run([("ticks", 20), ("whole", 1, 1, ID)])
    wanted = await House(script.journal).read_all()
    assert [event.flags for event in wanted] == [("incomplete",), ()]
    assert await House(script.journal, first.pipeline.checkpoint).read_all() == wanted


@pytest.mark.parametrize("hours", [-3, 3])
async def test_the_servers_clock_may_be_set_while_a_piece_is_held(
    journals: Journals, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    clock = set_clock()
    monkeypatch.setattr(journal_module, "time", clock)
    script = Script(journals, clock)
    await script.run([("piece", 1, 1, 1, False, "stdout"), ("ticks", 1), ("wait", hours * 3600)])
    first = House(script.journal)
    assert await first.read_all() == []  # forward: what is on its way is waited for
    await script.run([("ticks", 60)])  # 30 s
    second = House(script.journal, first.pipeline.checkpoint)
    assert [event.flags for event in await second.read_all()] == [("incomplete",)]


@pytest.mark.parametrize("old", [False, True])
async def test_a_kill_inside_the_rest_of_a_long_line(
    journals: Journals, monkeypatch: pytest.MonkeyPatch, old: bool
) -> None:
    """Ten minutes later the rest still comes, and still is no line of its own."""
    clock = set_clock()
    monkeypatch.setattr(journal_module, "time", clock)
    script = Script(journals, clock)

    def pieces(start: int, end: int) -> tuple[Any, ...]:
        ordinals = list(range(start, end))
        return ("old_piece", 1, PIECE, len(ordinals)) if old else ("huge", 1, 1, ordinals, 200)

    ending = ("whole", 1, 1, OTHER_ID) if old else ("huge", 1, 1, [200], 200)
    await script.run([pieces(1, 70)])
    for minute in range(10):
        await script.run([("ticks", 40), pieces(70 + minute, 71 + minute)])
    first = House(script.journal)
    assert [event.flags for event in await first.read_all()] == [("joined", "truncated")]
    assert (first.pipeline.checkpoint.held, len(first.pipeline.checkpoint.rests)) == ((), 1)
    await script.run([pieces(80, 200), ending, ("whole", 1, 1, OTHER_ID)])
    second = House(script.journal, first.pipeline.checkpoint)
    (event,) = await second.read_all()
    assert event.message.startswith("line ")
    assert len(event.message) < PIECE
    assert second.pipeline.checkpoint.rests == ()


async def test_a_kill_while_held_pieces_are_read_again(
    journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint taken then must name those too that were not read yet."""
    monkeypatch.setattr(making_module, "READ_BYTES", 1)
    journal = journals()
    put(journal, part("a", 1), part("b", 2), frame("between"), part("c", 3))
    first = House(journal)
    await first.read_all()
    put(journal, part("d", 4, last=True))
    second = House(journal, first.pipeline.checkpoint)
    await second.read_all()
    for events, checkpoint in second.store.appends:
        rest = await House(journal, checkpoint).read_all()
        assert [event.message for event in [*events, *rest]] == ["abcd"]


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
