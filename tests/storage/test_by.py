"""What lines are counted by, and the values that they have."""

from typing import Any

import pytest

from storage.by import MAX_NAME, MAX_VALUE, By, parse_by, values_of
from storage.errors import QueryError
from tests.storage.factories import FULL_ID, event, origin


@pytest.mark.parametrize(
    "text, by",
    [
        ("level", By("level")),
        ("container", By("container")),
        ("label.com.docker.compose.project", By("label", "com.docker.compose.project")),
        ("status", By("field", "status")),
        ("user.name", By("field", "user.name")),
        ("field.level", By("field", "level")),
        ("field.label.x", By("field", "label.x")),
        ("label:team", By("label", "team")),
        ("field:label:x", By("field", "label:x")),
        ("Level", By("field", "Level")),
        ("label", By("field", "label")),
    ],
)
def test_names(text: str, by: By) -> None:
    assert parse_by("by", text) == by


@pytest.mark.parametrize("text", ["", " ", "label.", "field.", "label:", "field:", "x" * (MAX_NAME + 1)])
def test_names_that_are_none(text: str) -> None:
    with pytest.raises(QueryError) as error:
        parse_by("field", text)
    assert error.value.parameter == "field"


LINE = event(
    level="error",
    origin=origin(labels={"a": "1", "empty": ""}, tag="t" * 2000),
    fields={"n": 1.0, "yes": True, "list": [1, "1", "b"], "a": {"b": "X"}, "a.c": 3, "none": None},
)
NAMELESS = event(origin=origin(None, FULL_ID, service=None), stream=None)


@pytest.mark.parametrize(
    "line, name, values",
    [
        (LINE, "level", {"error"}),
        (LINE, "stream", {"stdout"}),
        (LINE, "container", {"shop-web-1"}),
        (LINE, "service", {"web"}),
        (LINE, "host", {"node-a"}),
        (LINE, "tag", {"t" * MAX_VALUE}),
        (LINE, "label.a", {"1"}),
        (LINE, "label.empty", {""}),
        (LINE, "label.b", {""}),
        (LINE, "n", {"1.0"}),
        (LINE, "yes", {"true"}),
        (LINE, "list", {"1", "b"}),
        (LINE, "a", {""}),
        (LINE, "a.b", {"X"}),
        (LINE, "a.c", {"3"}),
        (LINE, "none", {""}),
        (NAMELESS, "level", {""}),
        (NAMELESS, "stream", {""}),
        (NAMELESS, "container", {FULL_ID}),
        (NAMELESS, "service", {""}),
        (NAMELESS, "tag", {""}),
        (NAMELESS, "n", {""}),
    ],
)
def test_values(line: Any, name: str, values: set[str]) -> None:
    found = list(values_of(parse_by("by", name), line))
    assert set(found) == values and len(found) == len(values)
