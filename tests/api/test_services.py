from typing import Any

from api.services import Readiness, Services


def test_a_server_is_ready_unless_told_otherwise(house: Any) -> None:
    services = Services(house.store, house.tail, house.metrics, house.settings)
    assert services.readiness() == Readiness()
    assert services.notes() == []
    assert services.clock() > 1_700_000_000 * 10**9


def test_replaying_is_what_not_ready_means_until_it_is_known_apart() -> None:
    assert not Readiness().is_replaying
    assert Readiness(ready=False).is_replaying
    assert not Readiness(ready=False, replaying=False).is_replaying
    assert Readiness(ready=True, replaying=True).is_replaying
