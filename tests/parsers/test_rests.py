import msgspec

from parsers.rests import MAX_RESTS, Key, Rest, Rests

KEY: Key = (1, "c", None, "stdout", "x")


def test_the_last_piece_ends_it() -> None:
    rests = Rests()
    rests.begin(KEY, 2, 0, 0)
    rests.swallow(KEY, 3, False, 1)
    assert KEY in rests
    rests.swallow(KEY, 4, True, 2)
    assert (KEY in rests, rests.oldest) == (False, None)


def test_an_early_last_piece_waits_for_the_others() -> None:
    rests = Rests()
    rests.begin(KEY, 2, 0, 0)
    rests.swallow(KEY, 4, True, 0)
    assert KEY in rests
    rests.swallow(KEY, 3, False, 0)
    assert KEY not in rests
    rests.begin(KEY, 2, 3, 0)  # the last one is what made it too long
    rests.swallow(KEY, 1, False, 0)
    assert KEY not in rests


def test_pieces_without_ordinals_are_counted() -> None:
    rests = Rests()
    rests.begin(KEY, 2, 0, 0)
    rests.swallow(KEY, 0, False, 0)
    assert rests.saved(0, 0)[0].seen == 3
    rests.swallow(KEY, 0, True, 0)
    assert KEY not in rests


def test_the_silent_are_given_up() -> None:
    rests = Rests()
    other = (2, *KEY[1:])
    rests.begin(KEY, 2, 0, 5)
    rests.begin(other, 2, 0, 6)
    rests.swallow(KEY, 3, False, 7)
    assert rests.oldest == 6
    rests.expire(6)
    assert (other in rests, KEY in rests, rests.oldest) == (False, True, 7)
    rests.close(3)
    assert KEY in rests
    rests.close(1)
    assert KEY not in rests


def test_there_are_only_so_many() -> None:
    rests = Rests()
    for number in range(MAX_RESTS + 1):
        rests.begin((number, *KEY[1:]), 2, 0, 0)
    assert len(rests.saved(0, 0)) == MAX_RESTS
    assert (0, *KEY[1:]) not in rests


def test_what_is_saved_goes_on_by_another_clock() -> None:
    rests, again = Rests(), Rests()
    for number in (3, 1, 2):
        rests.begin((number, *KEY[1:]), 2, 7, 10 * number)
    saved = rests.saved(50, 1000)
    assert [(rest.connection, rest.idle, rest.observed) for rest in saved] == [
        (3, 20, 1000), (1, 40, 1000), (2, 30, 1000)
    ]  # fmt: skip
    written = msgspec.json.encode(saved)
    again.restore(msgspec.json.decode(written, type=tuple[Rest, ...]), 500)
    assert again.saved(500, 1000) == saved
    assert len(written) < 3 * 200
