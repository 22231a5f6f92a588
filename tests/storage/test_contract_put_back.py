"""What every store does alike, part 4: taking back what was in quarantine."""

from storage.query import Query
from tests.storage.contract import Subject
from tests.storage.factories import events


async def test_what_was_refused_once_comes_back_to_its_place(subject: Subject) -> None:
    lines = events(0, 8)
    await subject.add([*lines[:2], *lines[5:]])
    before = subject.store.safe()
    assert await subject.store.put_back([lines[4], lines[2], lines[3]]) == []
    assert await subject.all(Query(order="asc")) == lines
    after = subject.store.safe()
    assert before is None or after is None or after.next >= before.next


async def test_what_is_here_already_is_not_doubled(subject: Subject) -> None:
    lines = events(0, 4)
    await subject.add(lines[:2])
    assert await subject.store.put_back(lines) == []
    assert await subject.store.put_back(lines[1:]) == []
    assert await subject.store.put_back([]) == []
    assert await subject.all(Query(order="asc")) == lines
    await subject.add(lines)  # a replay
    assert await subject.all(Query(order="asc")) == lines


async def test_it_is_durable_when_it_returns(durable: Subject) -> None:
    lines = events(0, 4)
    await durable.add(lines[:2])
    await durable.store.flush()
    await durable.store.put_back(lines[2:])
    await durable.reopen()
    assert await durable.all(Query(order="asc")) == lines
