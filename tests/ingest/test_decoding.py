"""Which decoder an entry wants, and what becomes of what is none of its protocol."""

import gzip

import msgspec
import pytest

from ingest.decoding import MALFORMED_TEXT_BYTES, Decoder
from ingest.entries import Entry, Kind, Protocol, frame_payloads
from parsers.event import Event
from parsers.join import Part
from parsers.normalize import Normalizer
from parsers.rests import Rest
from tests.ingest.bench import ID, IDENTITY, frame, part

OBSERVED = 1_795_482_000_000_000_000
POSITION = 1 << 40


def entry(protocol: Protocol, raw: bytes, count: int, connection: int = 3) -> Entry:
    end = POSITION + len(raw) + 34
    return Entry(POSITION, end, Kind.DATA, protocol, OBSERVED, connection, "10.0.0.1", count, raw)


@pytest.fixture
def decoder() -> Decoder:
    return Decoder(Normalizer("here"), IDENTITY)


def events(decoder: Decoder, made: Entry, sequence: int = 100) -> list[Event]:
    items = list(decoder.decode(made, sequence))
    assert all(isinstance(item, Event) for item in items)
    return [item for item in items if isinstance(item, Event)]


def test_forward_records_are_numbered(decoder: Decoder) -> None:
    found = events(decoder, entry(Protocol.FORWARD, frame("one") + frame("two"), 2))
    assert [(e.journal, e.position, e.index, e.sequence) for e in found] == [
        (IDENTITY, POSITION, 0, 100),
        (IDENTITY, POSITION, 1, 101),
    ]
    assert [e.message for e in found] == ["one", "two"]
    assert {e.observed for e in found} == {OBSERVED}


def test_pieces_come_as_parts_of_their_connection(decoder: Decoder) -> None:
    (item,) = decoder.decode(entry(Protocol.FORWARD, part("piece", 1), 1, connection=9), 100)
    assert isinstance(item, Part)
    assert item.connection == 9
    decoder.begin_run()
    (item,) = decoder.decode(entry(Protocol.FORWARD, part("piece", 1), 1, connection=9), 100)
    assert isinstance(item, Part)
    assert item.connection not in (9, 0)  # another process's ninth connection is another


@pytest.mark.parametrize("protocol", [Protocol.GELF_UDP, Protocol.GELF_HTTP])
def test_gelf_payloads(decoder: Decoder, protocol: Protocol) -> None:
    payloads = [b'{"short_message":"one"}', gzip.compress(b'{"short_message":"two"}')]
    found = events(decoder, entry(protocol, frame_payloads(payloads), 2))
    assert [(e.message, e.index, e.sequence) for e in found] == [("one", 0, 100), ("two", 1, 101)]


def test_gelf_over_tcp(decoder: Decoder) -> None:
    raw = b'{"short_message":"one"}\0{"short_message":"two"}\0'
    assert [e.message for e in events(decoder, entry(Protocol.GELF_TCP, raw, 2))] == ["one", "two"]


def test_what_only_looked_like_gelf_is_kept_as_text_in_its_place(decoder: Decoder) -> None:
    payloads = [
        b'{"short_message":"one"}',
        b'{"half',
        b"\x1f\x8bbroken",
        b"{" * 100_000,
        b'{"short_message":"two"}',
    ]
    found = events(decoder, entry(Protocol.GELF_UDP, frame_payloads(payloads), 5))
    assert [e.message for e in found[:2]] == ["one", '{"half']
    assert found[4].message == "two"
    assert [(e.index, e.sequence) for e in found] == [(n, 100 + n) for n in range(5)]
    assert ["malformed" in e.flags for e in found] == [False, True, True, True, False]
    assert len(found[3].message) == MALFORMED_TEXT_BYTES


def test_what_becomes_no_record_is_counted(decoder: Decoder) -> None:
    signal = b"\x93\xa3tag\x91\x92\x01\x80\x81\xadfluent_signal\x01"
    assert events(decoder, entry(Protocol.FORWARD, signal, 1)) == []
    assert decoder.skipped == {"signal": 1}


def test_a_cut_lines_connection_is_numbered_anew(decoder: Decoder) -> None:
    """A process counts the runs that it reads from 1; another one that begins later counts fewer."""
    rest = Rest((7 << 32) | 3, "c", None, "stdout", "", 65, 0, 0, 0)
    (saved,) = decoder.suspended((rest,))
    assert saved.connection == 3
    decoder.begin_run()
    (ours,) = decoder.resumed((saved,))
    made = entry(Protocol.FORWARD, b"", 0, connection=3)
    assert ours == msgspec.structs.replace(rest, connection=decoder.connection(made))


def test_an_unmarked_record_ends_a_cut_line_of_a_checkpoint(decoder: Decoder) -> None:
    decoder.resumed((Rest(3, ID, "shop-web-1", "stdout", "", 65, 0, 0, 0),))
    kinds = [
        type(item) for item in decoder.decode(entry(Protocol.FORWARD, frame("end") + frame("next"), 2), 0)
    ]
    assert kinds == [Part, Event]
