"""The window of resend keys: bounded, and remembering for as long as it says."""

from ingest.resends import Resends, only_new, resend_key
from parsers.record import Frame, Frames


def keys(*numbers: int) -> list[bytes]:
    return [number.to_bytes(16, "big") for number in numbers]


def test_a_key_stands_for_chunk_and_content() -> None:
    key = resend_key(b"chunk", b"frame")
    assert len(key) == 16
    assert key == resend_key(b"chunk", memoryview(b"frame"))
    others = [resend_key(b"chunk", b"other"), resend_key(b"other", b"frame"), resend_key(b"chunkf", b"rame")]
    assert key not in others


def test_what_was_added_is_known() -> None:
    window = Resends(0.0)
    window.add(keys(1, 2), 0.0)
    assert all(key in window for key in keys(1, 2))
    assert keys(3)[0] not in window


def test_the_window_is_bounded_and_keeps_half_of_its_limit() -> None:
    window = Resends(0.0, limit=100)
    for number in range(1000):
        window.add(keys(number), 0.0)
        assert len(window) <= 100
        assert all(key in window for key in keys(*range(max(0, number - 49), number + 1)))


def test_a_key_is_known_for_the_whole_time_and_forgotten_after_twice_of_it() -> None:
    window = Resends(0.0, seconds=600)
    window.add(keys(1), 0.0)
    window.add(keys(2), 599.0)
    window.add(keys(3), 600.0)
    assert keys(1)[0] in window
    window.add(keys(4), 1199.0)
    assert keys(2)[0] in window  # 600 seconds old
    window.add(keys(5), 1200.0)
    assert keys(1)[0] not in window
    assert keys(2)[0] not in window
    assert keys(3)[0] in window


def test_loading_keeps_the_newest_within_the_limit() -> None:
    window = Resends(0.0, limit=100)
    window.load(keys(*range(1000)), 0.0)
    assert len(window) <= 100
    assert all(key in window for key in keys(*range(950, 1000)))


def test_only_what_is_new_stays() -> None:
    window = Resends(0.0)
    window.add(keys(1), 0.0)
    frames = Frames(b"aabbbcc", 3, (Frame(0, 2, b"x"), Frame(2, 5, b"y"), Frame(5, 7, b"z")))
    assert only_new(frames, keys(1, 2, 3), window) == (b"bbbcc", keys(2, 3))
    assert only_new(frames, keys(2, 2, 1), window) == (b"aa", keys(2))
    assert only_new(frames, keys(4, 5, 6), window) == (b"aabbbcc", keys(4, 5, 6))
    one = Frames(b"aa", 1, (Frame(0, 2, b"x"),))
    assert only_new(one, keys(1), window) == (b"", [])
    assert only_new(one, keys(2), window) == (b"aa", keys(2))
