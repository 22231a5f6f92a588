"""Who is connected, as connections and their lines tell."""

from collections.abc import Callable

import msgpack
import pytest

from ingest import presence as presence_module
from ingest.entries import CLOSED_HERE, CLOSED_WITH_ACKS, Kind, Protocol
from ingest.presence import REDIAL_SECONDS, Presence
from parsers.event import Container
from tests.ingest.bench import (
    ID,
    OTHER_ID,
    Journals,
    closing,
    frame,
    opening,
    packed_frames,
    part,
    put,
    saying,
)
from tests.ingest.handing_on import House

WEB, DB = Container("ab" * 32, "web"), Container(None, "db")
WEB_ID = WEB.id or ""


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def presence(clock: Callable[[], float]) -> Presence:
    return Presence(clock)


def told(presence: Presence, *containers: str) -> bool | None:
    presence.apply()
    return presence.connected(containers)


def test_a_connection_and_its_end(presence: Presence) -> None:
    assert told(presence, WEB_ID) is None
    presence.spoke(saying(1), WEB)
    assert presence.connected([WEB_ID]) is None  # its lines are still on their way
    assert told(presence, WEB_ID) is True
    presence.mark(closing(1))
    assert presence.connected([WEB_ID]) is True
    assert told(presence, WEB_ID) is False
    presence.spoke(saying(2), WEB)
    assert told(presence, WEB_ID) is True


def test_nothing_is_known_when_this_server_closed(presence: Presence) -> None:
    presence.spoke(saying(1), WEB)
    presence.mark(closing(1, CLOSED_HERE))
    assert told(presence, WEB_ID) is None


def test_the_end_of_an_older_connection_says_nothing(presence: Presence) -> None:
    """A client that redials speaks over the new connection before the old one is known to have ended."""
    presence.spoke(saying(1), WEB)
    presence.spoke(saying(2), WEB)
    presence.mark(closing(1))
    assert told(presence, WEB_ID) is True


def test_of_two_connections_the_one_that_speaks_counts(presence: Presence) -> None:
    for connection in (1, 2, 1):
        presence.spoke(saying(connection), WEB)
    presence.mark(closing(2))
    assert told(presence, WEB_ID) is True
    presence.mark(closing(1))
    assert told(presence, WEB_ID) is False


def test_patience_with_who_has_just_ended(presence: Presence, clock: Clock) -> None:
    presence.spoke(saying(1), WEB)
    presence.mark(closing(1))
    assert told(presence, WEB_ID) is False
    assert presence.connected([WEB_ID], 0.5) is True
    clock.now += 0.5
    assert presence.connected([WEB_ID], 0.5) is False


def test_a_container_whose_streams_fight_over_acks_lives(presence: Presence, clock: Clock) -> None:
    """Each closes the connection that the other dialled, and sends what is known; that is not journalled."""
    presence.spoke(saying(1), WEB)
    presence.mark(closing(1, CLOSED_WITH_ACKS))
    for connection in range(2, 20):
        presence.mark(opening(connection))
        assert told(presence, WEB_ID) is True
        clock.now += REDIAL_SECONDS - 0.1
        assert presence.connected([WEB_ID]) is True
        presence.mark(closing(connection, CLOSED_WITH_ACKS))
    assert told(presence, WEB_ID) is True
    clock.now += REDIAL_SECONDS
    assert presence.connected([WEB_ID]) is False


@pytest.mark.parametrize(
    ("how", "number", "peer"),
    [(b"", 6, "10.0.0.1"), (CLOSED_WITH_ACKS, 4, "10.0.0.1"), (CLOSED_WITH_ACKS, 6, "10.0.0.2")],
    ids=["without acks", "dialled before", "another peer"],
)
def test_others_that_dial_are_no_sign_of_its_life(
    presence: Presence, how: bytes, number: int, peer: str
) -> None:
    presence.spoke(saying(5), WEB)
    presence.mark(opening(number, peer))
    presence.mark(closing(5, how))
    assert told(presence, WEB_ID) is False


def test_connections_without_lines_are_nobodys(presence: Presence) -> None:
    presence.mark(closing(7))
    assert told(presence) is None
    assert told(presence, "x") is None


def test_several_lives_of_a_name(presence: Presence) -> None:
    presence.spoke(saying(1), WEB)
    presence.spoke(saying(2), DB)
    presence.mark(closing(1))
    assert told(presence, WEB_ID) is False
    assert told(presence, WEB_ID, "db") is True
    assert told(presence, WEB_ID, "unknown") is None
    presence.mark(closing(2))
    assert told(presence, WEB_ID, "db") is False


def test_a_relay_tells_nothing_of_its_containers(presence: Presence) -> None:
    presence.spoke(saying(1), WEB)
    presence.spoke(saying(1), DB)
    assert [told(presence, key) for key in (WEB_ID, "db")] == [None, None]
    presence.mark(closing(1))
    assert [told(presence, key) for key in (WEB_ID, "db")] == [None, None]


@pytest.mark.parametrize(
    "raw",
    [packed_frames(["a"]), msgpack.packb(["tag", [[1, {"log": "a"}]]]), msgpack.packb(["t" * 300, b"x", {}])],
)
def test_a_relay_of_one_container_is_one_too(presence: Presence, raw: bytes) -> None:
    """Fluent Bit closes what has been idle for 30 seconds, and the container lives on."""
    presence.spoke(saying(1, raw), WEB)
    presence.mark(closing(1))
    assert told(presence, WEB_ID) is None


def test_a_relay_of_many_containers_is_not_remembered_for_each(presence: Presence) -> None:
    for number in range(1_000):
        presence.spoke(saying(1), Container(None, f"c{number}"))
    assert len(presence._latest) == 1
    presence.mark(closing(1))
    assert not presence._latest
    assert not presence._told


def test_gelf_over_tcp_is_one_container(presence: Presence) -> None:
    presence.spoke(saying(1, b"{}\0", Protocol.GELF_TCP), WEB)
    assert told(presence, WEB_ID) is True


def test_what_is_remembered_has_a_limit(monkeypatch: pytest.MonkeyPatch, presence: Presence) -> None:
    monkeypatch.setattr(presence_module, "MAX_CONTAINERS", 2)
    for number in range(4):
        presence.spoke(saying(number), Container(None, f"c{number}"))
    assert [told(presence, f"c{number}") for number in range(4)] == [None, None, True, True]
    presence.mark(closing(0))
    assert told(presence, "c0") is None


def test_peers_that_dial_are_forgotten_too(monkeypatch: pytest.MonkeyPatch, presence: Presence) -> None:
    monkeypatch.setattr(presence_module, "MAX_PEERS", 2)
    presence.spoke(saying(1), WEB)
    presence.mark(closing(1, CLOSED_WITH_ACKS))
    presence.mark(opening(2))
    assert told(presence, WEB_ID) is True
    for number in range(3, 5):
        presence.mark(opening(number, f"10.0.1.{number}"))
    assert told(presence, WEB_ID) is False


async def test_out_of_the_journal(journals: Journals) -> None:
    house = House(journals())
    put(house.journal, frame("a"), connection=1)
    put(house.journal, frame("b", container_id=OTHER_ID), connection=2)
    put(house.journal, part("c", 1, container_id="ef" * 32), connection=3)  # held until its end
    house.journal.append(Kind.CLOSE, Protocol.FORWARD, 1)
    house.journal.append(Kind.CLOSE, Protocol.FORWARD, 2, b"", CLOSED_HERE)
    await house.read_all()
    presence = house.pipeline.presence
    assert [presence.connected([key]) for key in (ID, OTHER_ID, "ef" * 32)] == [False, None, True]


async def test_a_redial_out_of_the_journal(journals: Journals) -> None:
    house = House(journals())
    put(house.journal, frame("a"), connection=1)
    house.journal.append(Kind.CLOSE, Protocol.FORWARD, 1, b"10.0.0.1", CLOSED_WITH_ACKS)
    house.journal.append(Kind.OPEN, Protocol.FORWARD, 2, b"10.0.0.1")
    await house.read_all()
    assert house.pipeline.presence.connected([ID]) is True


async def test_what_an_earlier_run_has_seen_is_not_known(journals: Journals) -> None:
    put(journals(), frame("a"))
    house = House(journals())
    assert len(await house.read_all()) == 1
    assert house.pipeline.presence.connected([ID]) is None
