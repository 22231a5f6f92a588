"""Who is connected, as connections and their lines tell."""

import pytest

from ingest import presence as presence_module
from ingest.entries import CLOSED_HERE, Kind, Protocol
from ingest.presence import Presence
from parsers.event import Container
from tests.ingest.bench import ID, OTHER_ID, Journals, frame, part, put
from tests.ingest.handing_on import House

WEB, DB = Container("ab" * 32, "web"), Container(None, "db")


def told(presence: Presence, *containers: str) -> bool | None:
    presence.apply()
    return presence.connected(containers)


def test_a_connection_and_its_end() -> None:
    presence = Presence()
    assert told(presence, WEB.id or "") is None
    presence.spoke(1, WEB)
    assert presence.connected([WEB.id or ""]) is None  # its lines are still on their way
    assert told(presence, WEB.id or "") is True
    presence.ended(1, True)
    assert presence.connected([WEB.id or ""]) is True
    assert told(presence, WEB.id or "") is False
    presence.spoke(2, WEB)
    assert told(presence, WEB.id or "") is True


def test_nothing_is_known_when_this_server_closed() -> None:
    presence = Presence()
    presence.spoke(1, WEB)
    presence.ended(1, False)
    assert told(presence, WEB.id or "") is None


def test_the_end_of_an_older_connection_says_nothing() -> None:
    """A client that redials speaks over the new connection before the old one is known to have ended."""
    presence = Presence()
    presence.spoke(1, WEB)
    presence.spoke(2, WEB)
    presence.ended(1, True)
    assert told(presence, WEB.id or "") is True


def test_connections_without_lines_are_nobodys() -> None:
    presence = Presence()
    presence.ended(7, True)
    assert told(presence) is None
    assert told(presence, "x") is None


def test_several_lives_of_a_name() -> None:
    presence = Presence()
    presence.spoke(1, WEB)
    presence.spoke(2, DB)
    presence.ended(1, True)
    assert told(presence, WEB.id or "") is False
    assert told(presence, WEB.id or "", "db") is True
    assert told(presence, WEB.id or "", "unknown") is None
    presence.ended(2, True)
    assert told(presence, WEB.id or "", "db") is False


def test_a_relay_speaks_for_who_came_last() -> None:
    presence = Presence()
    presence.spoke(1, WEB)
    presence.spoke(1, DB)
    presence.ended(1, True)
    assert told(presence, "db") is False


def test_what_is_remembered_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_module, "MAX_CONTAINERS", 2)
    presence = Presence()
    for number in range(4):
        presence.spoke(number, Container(None, f"c{number}"))
    assert [told(presence, f"c{number}") for number in range(4)] == [None, None, True, True]
    presence.ended(0, True)
    assert told(presence, "c0") is None


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


async def test_what_an_earlier_run_has_seen_is_not_known(journals: Journals) -> None:
    put(journals(), frame("a"))
    house = House(journals())
    assert len(await house.read_all()) == 1
    assert house.pipeline.presence.connected([ID]) is None
