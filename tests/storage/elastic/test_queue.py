from storage.elastic.queue import WAITING_BYTES, Chunk, Queue
from storage.store import Checkpoint
from tests.storage.elastic_events import event


def chunk(number: int, size: int = 10) -> Chunk:
    return Chunk([event(number)], b"x" * size)


def filled(count: int) -> Queue:
    queue = Queue()
    for number in range(count):
        queue.put(chunk(number))
        queue.move(Checkpoint(number + 1))
    return queue


def test_a_checkpoint_counts_when_everything_before_it_is_done() -> None:
    queue = filled(3)
    first, second, third = (queue.take(10, None) for _ in range(3))
    queue.finish(third)
    assert (queue.checkpoint, queue.finished) == (None, 0)
    queue.finish(first)
    assert (queue.checkpoint, queue.finished) == (Checkpoint(1), 1)
    queue.finish(second)
    assert (queue.checkpoint, queue.finished, queue.oldest) == (Checkpoint(3), 3, None)


def test_a_checkpoint_in_the_middle_of_a_batch_waits_for_its_end() -> None:
    queue = Queue()
    queue.put(chunk(0))
    queue.put(chunk(1))
    queue.move(Checkpoint(2))
    queue.finish(queue.take(10, None))
    assert queue.checkpoint is None
    queue.finish(queue.take(10, None))
    assert queue.checkpoint == Checkpoint(2)


def test_a_checkpoint_alone_counts_at_once_or_after_what_is_open() -> None:
    queue = Queue()
    queue.move(Checkpoint(5))
    assert queue.checkpoint == Checkpoint(5)
    queue.put(chunk(0))
    queue.move(Checkpoint(6))
    queue.move(Checkpoint(7))
    assert queue.checkpoint == Checkpoint(5)
    queue.finish(queue.take(10, None))
    assert queue.checkpoint == Checkpoint(7)


def test_a_body_takes_what_waits_up_to_its_size_and_never_nothing() -> None:
    queue = filled(5)
    assert [len(queue.take(size, None)) for size in (29, 1, 100, 100)] == [2, 1, 2, 0]


def test_chunks_know_the_write_index_they_were_sent_to() -> None:
    queue = filled(2)
    taken = queue.take(10, "one")
    assert (taken[0].index, taken[0].taken) == ("one", True)
    oldest = queue.oldest
    assert oldest is taken[0]
    queue.finish(taken)
    assert queue.oldest is not None
    assert (queue.oldest.index, queue.oldest.taken) == (None, False)


def test_waiting_bytes_fill_it_and_taking_makes_room() -> None:
    queue = Queue()
    queue.put(chunk(0, WAITING_BYTES - 1))
    assert not queue.full
    queue.put(chunk(1, 1))
    assert queue.full
    queue.take(1, None)
    assert not queue.full


def test_done_chunks_let_their_events_go() -> None:
    queue = filled(2)
    later = queue.take(10, None), queue.take(10, None)
    queue.finish(later[1])
    assert (later[1][0].events, later[1][0].body) == ((), b"")
