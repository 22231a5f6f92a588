"""All readings of a tag, within a budget."""

import pytest

from parsers.inversion import search
from parsers.inversion.state import State
from parsers.inversion.terms import Term
from parsers.inversion.undo import bind
from parsers.tag import MAX_TAG_LENGTH, TagTemplate


@pytest.mark.parametrize("function", ["title", "lower", "json", "html"])
def test_a_long_tag_is_searched_within_a_budget(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    def counting(state: State, term: Term, text: bytes) -> State | None:
        nonlocal read
        read += len(text)
        return bind(state, term, text)

    monkeypatch.setattr(search, "bind", counting)
    call = '{{%s (index .ContainerLabels "%s")}}'
    template = TagTemplate.compile(call % (function, "a") + "." + call % (function, "b"))
    reading = template.invert("a.b/" * (MAX_TAG_LENGTH // 4))
    assert reading is None or dict(reading.fields) == {}
    assert read <= search.MAX_WORK + 2 * MAX_TAG_LENGTH
