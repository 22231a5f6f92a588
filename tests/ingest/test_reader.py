"""Reading the journal back, whatever happened to its files."""

from pathlib import Path

import pytest

from ingest.entries import HEADER_BYTES, Kind
from ingest.journal import Journal
from ingest.reader import Reader
from ingest.segments import RUN_BITS
from tests.ingest.bench import Journals, counted, data, entries, put


def rolled(journal: Journal, *raws: bytes) -> Path:
    """Write entries, then begin another segment; the path of the first."""
    put(journal, *raws)
    path = journal.segments[-1].path
    journal.roll()
    return path


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


async def test_entries_are_read_over_the_edges_of_segments(journals: Journals) -> None:
    journal = journals()
    rolled(journal, b"one", b"two")
    rolled(journal)
    rolled(journal, b"three")
    put(journal, b"four")
    assert data(journal) == [b"one", b"two", b"three", b"four"]
    found = entries(journal)
    assert [entry.end for entry in found[:-1]] == [entry.position for entry in found[1:]]
    assert found[-1].end == journal.position


@pytest.mark.parametrize("limit", [1, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 1, 100, 1 << 20])
async def test_any_limit_reads_the_same(journals: Journals, limit: int) -> None:
    journal = journals()
    rolled(journal, b"a" * 10, b"b" * 300)
    put(journal, b"", b"c" * 5000)
    raws = [entry.raw for entry in entries(journal, 0, limit) if entry.kind is Kind.DATA]
    assert raws == [b"a" * 10, b"b" * 300, b"", b"c" * 5000]


async def test_there_is_nothing_before_it_is_written(journals: Journals) -> None:
    journal = journals()
    reader = Reader(journal, 0)
    assert [entry.kind for entry in reader.read(1000)] == [Kind.START]
    assert reader.read(1000) == []
    put(journal, b"now")
    assert [entry.raw for entry in reader.read(1000)] == [b"now"]
    assert reader.position == journal.position
    reader.close()


async def test_the_gap_between_runs_is_passed(journals: Journals) -> None:
    first = journals()
    put(first, b"one")
    await journals.close(first)
    second = journals()
    put(second, b"two")
    assert data(second) == [b"one", b"two"]
    assert [entry.position >> RUN_BITS for entry in entries(second)] == [1, 1, 2, 2]
    assert data(second, first.position) == [b"two"]
    assert second.damaged == []


async def test_reading_begins_at_what_is_left(journals: Journals) -> None:
    journal = journals()
    rolled(journal, b"forgotten")
    put(journal, b"kept")
    journal.forget(journal.segments[-1].base)
    assert data(journal) == [b"kept"]


@pytest.mark.parametrize("cut", [1, 3, 40])
async def test_a_torn_tail_is_set_aside_and_reported(journals: Journals, cut: int) -> None:
    first = journals()
    put(first, b"whole", b"torn by a power cut")
    path = first.segments[-1].path
    await journals.kill(first)
    content = path.read_bytes()
    path.write_bytes(content[:-cut])
    second = journals()
    put(second, b"later")
    assert data(second) == [b"whole", b"later"]
    lost = HEADER_BYTES + len(b"10.0.0.1" + b"torn by a power cut") - cut
    assert len(second.damaged) == 1
    assert (
        f"torn entry at journal position {first.position - lost - cut:#x}: {lost} bytes" in second.damaged[0]
    )
    (aside,) = journals.folder.glob("*.damaged")
    assert aside.read_bytes() == content[-lost - cut : -cut]
    assert aside.name in second.damaged[0]
    assert counted(second.metrics.journal_damaged) == lost


async def test_zeros_that_a_power_cut_left_are_set_aside(journals: Journals) -> None:
    first = journals()
    put(first, b"whole")
    path = first.segments[-1].path
    await journals.kill(first)
    with path.open("ab") as file:
        file.write(bytes(4096))
    second = journals()
    assert data(second) == [b"whole"]
    assert counted(second.metrics.journal_damaged) == 4096


@pytest.mark.parametrize("limit", [64, 1 << 20])
async def test_a_flipped_byte_costs_what_stands_behind_it_in_its_segment(
    journals: Journals, limit: int
) -> None:
    journal = journals()
    rolled(journal, b"before")
    path = rolled(journal, b"kept", b"damaged", b"behind")
    put(journal, b"later")
    content = path.read_bytes()
    at = content.index(b"damaged")
    flip(path, at + 3)
    raws = [entry.raw for entry in entries(journal, 0, limit) if entry.kind is Kind.DATA]
    assert raws == [b"before", b"kept", b"later"]
    assert "wrong checksum" in journal.damaged[0]
    (aside,) = journals.folder.glob("*.damaged")
    assert aside.read_bytes().endswith(b"behind")
    assert path.read_bytes().endswith(b"kept")
    assert data(journal) == [b"before", b"kept", b"later"]  # once is enough
    assert len(journal.damaged) == 1


async def test_a_segment_damaged_at_its_first_byte(journals: Journals) -> None:
    journal = journals()
    rolled(journal)
    path = rolled(journal, b"all of it")
    put(journal, b"later")
    flip(path, 0)
    assert data(journal) == [b"later"]
    assert path.read_bytes() == b""


@pytest.mark.parametrize("field", ["mark", "length", "raw"])
async def test_damage_in_the_segment_being_written(journals: Journals, field: str) -> None:
    """Somebody wrote into the file: what comes afterwards must not stand behind it, unreadable."""
    journal = journals()
    put(journal, b"kept", b"damaged")
    path = journal.segments[-1].path
    begin = len(path.read_bytes()) - HEADER_BYTES - len(b"10.0.0.1" + b"damaged")
    flip(path, {"mark": begin, "length": begin + 6, "raw": begin + HEADER_BYTES + 9}[field])
    reader = Reader(journal, 0)
    assert [entry.raw for entry in reader.read(1000)][1:] == [b"kept"]
    assert reader.read(1000) == []
    put(journal, b"later")
    assert [entry.raw for entry in reader.read(1000)] == [b"later"]
    assert len(journal.damaged) == 1
    reader.close()


async def test_an_entry_larger_than_the_limit(journals: Journals) -> None:
    journal = journals()
    huge = b"x" * (3 << 20)
    put(journal, b"small", huge, b"small again")
    assert [entry.raw for entry in entries(journal, 0, 256 << 10)][1:] == [b"small", huge, b"small again"]
