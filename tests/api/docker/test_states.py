"""What is said about a container's life."""

import dataclasses

import pytest

from api.docker import states
from api.docker.seen import Seen
from storage.query import ContainerRef
from tests.api.conftest import NOW, WEB, WEB_ID, House
from tests.ingest.bench import closing, saying

HOUR = 3_600 * 10**9
ONE = Seen(WEB_ID, "web", "", {}, None, "h", 1, NOW - 5 * HOUR, NOW, ContainerRef(id=WEB_ID), {}, (WEB_ID,))


@pytest.mark.parametrize(
    ("connected", "age", "state", "status", "waited_for"),
    [
        (None, 0, "running", "Up 5 hours (last line Less than a second ago)", True),
        (None, 600, "running", "Up 5 hours (last line 10 minutes ago)", True),
        (None, 601, "exited", "Last line 10 minutes ago", True),
        (None, 86_401, "exited", "Last line 24 hours ago", False),
        (True, 86_401, "running", "Up 5 hours", True),
        (False, 0, "exited", "Exited Less than a second ago", False),
        (False, 90_000, "exited", "Exited 25 hours ago", False),
        (
            None,
            -50,
            "running",
            "Up 5 hours (last line Less than a second ago)",
            True,
        ),  # a clock ahead of ours
    ],
)
def test_by_connection_else_by_its_last_line(
    house: House,
    connected: bool | None,
    age: int,
    state: str,
    status: str,
    waited_for: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(states, "PATIENCE_SECONDS", 0)
    if connected is not None:
        house.presence.spoke(saying(1), WEB.container)
    if connected is False:
        house.presence.mark(closing(1))
    house.presence.apply()
    services, one = house.services(), dataclasses.replace(ONE, last_seen=NOW - age * 10**9)
    assert states.state(services, one) == state
    assert states.status(services, one) == status
    assert states.is_running(services, one) is (state == "running")
    assert states.may_speak(services, one) is waited_for


def test_whoever_follows_waits_a_moment_for_the_driver_to_dial_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.presence.spoke(saying(1), WEB.container)
    house.presence.mark(closing(1))
    house.presence.apply()
    services = house.services()
    assert states.may_speak(services, ONE)
    assert not states.is_running(services, ONE)
    monkeypatch.setattr(states, "PATIENCE_SECONDS", 0)
    assert not states.may_speak(services, ONE)
