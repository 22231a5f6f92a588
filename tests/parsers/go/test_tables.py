import pytest

from parsers.go import tables
from parsers.go.runes import mapping


@pytest.mark.parametrize("name", ["LETTERS", "DIGITS", "PRINTABLE"])
def test_bounds_go_up_and_end_outside(name: str) -> None:
    steps = [int(step, 36) for step in getattr(tables, name).split()]
    assert len(steps) % 2 == 0
    assert all(step > 0 for step in steps)
    assert sum(steps) <= 0x110000


def test_a_mapping_is_read_with_its_strides() -> None:
    assert mapping("51,kn 17,-w,n") == {0xB5: 0x39C, **{rune: rune - 32 for rune in range(0xE0, 0xE0 + 23)}}
    assert mapping("a,1,3,2") == {10: 11, 12: 13, 14: 15}
    assert 0xDF not in mapping(tables.UPPER)  # the sharp s has no capital of one rune
