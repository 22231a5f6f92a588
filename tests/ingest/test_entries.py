"""Journal entries: what is written is what is read, and any damage is seen."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import entries
from ingest.entries import (
    HEADER_BYTES,
    KEY_BYTES,
    MAX_ENTRY_BYTES,
    Damage,
    Entry,
    Kind,
    Protocol,
    decode_entries,
    encode_header,
    entry_keys,
    entry_length,
    frame_payloads,
    split_payloads,
)

KEYS = bytes(range(KEY_BYTES)) * 3


def encoded(raw: bytes = b"raw bytes", keys: bytes = KEYS, **changes: Any) -> bytes:
    values: dict[str, Any] = {
        "kind": Kind.DATA, "protocol": Protocol.FORWARD, "observed": 1_795_482_000_123_456_789,
        "connection": 7, "peer": b"10.0.0.1", "count": 3,
    }  # fmt: skip
    return encode_header(**(values | changes), keys=keys, raw=raw) + raw


@given(
    kind=st.sampled_from(Kind),
    protocol=st.sampled_from(Protocol),
    observed=st.integers(-(2**63), 2**63 - 1),
    connection=st.integers(0, 2**32 - 1),
    peer=st.text(max_size=60),
    count=st.integers(0, 2**32 - 1),
    keys=st.integers(0, 4),
    raw=st.binary(max_size=400),
    position=st.integers(0, 2**62),
)
def test_what_is_written_is_read(
    kind: Kind, protocol: Protocol, observed: int, connection: int, peer: str, count: int, keys: int,
    raw: bytes, position: int,
) -> None:  # fmt: skip
    whole = encoded(raw, bytes(KEY_BYTES) * keys, kind=kind, protocol=protocol, observed=observed,
                    connection=connection, peer=peer.encode(), count=count)  # fmt: skip
    end = position + len(whole)
    wanted = Entry(position, end, kind, protocol, observed, connection, peer, count, raw)
    assert list(decode_entries(whole, position)) == [wanted]
    assert entry_length(whole, 0, position) == len(whole)
    assert entry_keys(whole, 0) == bytes(KEY_BYTES) * keys


def test_entries_stand_back_to_back_and_an_unfinished_one_waits() -> None:
    three = [encoded(b"one"), encoded(b""), encoded(b"three")]
    whole = b"".join(three)
    found = list(decode_entries(whole, 1000))
    assert [entry.raw for entry in found] == [b"one", b"", b"three"]
    assert [entry.position for entry in found] == [1000, found[0].end, found[1].end]
    for cut in range(len(whole)):
        ends = [entry.end - 1000 for entry in found]
        assert len(list(decode_entries(whole[:cut], 1000))) == sum(end <= cut for end in ends)


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_is_seen(bit: int) -> None:
    """Whatever a bit says: it is damage, or (a length that grew) an entry that never ends."""
    whole = encoded()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << bit
        try:
            found = list(decode_entries(bytes(damaged), 64))
        except Damage as damage:
            assert damage.position == 64
            continue
        assert found == []
        assert (entry_length(bytes(damaged), 0, 64) or 0) > len(whole)


def test_every_changed_byte_behind_the_length_is_damage() -> None:
    whole = encoded()
    for at in range(HEADER_BYTES, len(whole)):
        for value in range(256):
            if value == whole[at]:
                continue
            with pytest.raises(Damage):
                list(decode_entries(whole[:at] + bytes([value]) + whole[at + 1 :], 0))


def test_entries_before_the_damage_come_first() -> None:
    found = []
    with pytest.raises(Damage) as caught:
        for entry in decode_entries(encoded(b"good") + b"\0" * 100, 500):
            found.append(entry.raw)  # noqa: PERF401
    assert found == [b"good"]
    assert caught.value.position == 500 + len(encoded(b"good"))


def test_a_length_beyond_all_frames_is_damage() -> None:
    whole = bytearray(encoded())
    whole[4:8] = (MAX_ENTRY_BYTES + 1).to_bytes(4, "little")
    with pytest.raises(Damage, match="impossible length"):
        entry_length(bytes(whole), 0, 0)


def test_what_could_not_be_read_back_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MAX_RAW_BYTES", 10)
    assert encoded(b"x" * 10)
    with pytest.raises(ValueError, match="do not fit"):
        encoded(b"x" * 11)


def test_the_largest_entry_is_no_damage() -> None:
    """65,535 keys, 255 bytes of peer and MAX_RAW_BYTES are within what a reader believes."""
    assert HEADER_BYTES + 65_535 * KEY_BYTES + 255 + entries.MAX_RAW_BYTES <= MAX_ENTRY_BYTES


def test_a_peer_cut_inside_a_character_is_readable() -> None:
    (entry,) = decode_entries(encoded(peer="\N{SNOWMAN}".encode()[:2]), 0)
    assert entry.peer == "\N{REPLACEMENT CHARACTER}"


@given(payloads=st.lists(st.binary(max_size=50)))
def test_payloads_are_framed_and_split(payloads: list[bytes]) -> None:
    assert split_payloads(frame_payloads(payloads)) == payloads
