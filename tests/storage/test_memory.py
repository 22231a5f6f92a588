"""What only the memory store does; what every store does is in test_contract.py."""

from storage.memory import MemoryStore
from storage.metrics import Metrics
from storage.query import Query
from tests.storage.factories import after, event, events


async def test_the_oldest_go_counted_when_it_is_full() -> None:
    metrics = Metrics()
    store = MemoryStore(metrics, max_events=5)
    await store.append(events(0, 4), after(events(0, 4)))
    await store.append(events(4, 4), after(events(4, 4)))
    assert [e.offset for e in (await store.search(Query(order="asc"))).events] == [3, 4, 5, 6, 7]
    assert metrics.registry.get_sample_value("logdock_dropped_total", {"reason": "memory_store_full"}) == 3


async def test_starting_again_goes_on() -> None:
    store = MemoryStore()
    assert await store.start() is None
    await store.append([event()], after([event()]))
    await store.close()
    assert await store.start() == after([event()]) == store.safe()
    assert (await store.search(Query())).events == [event()]
