"""The filters parameter."""

import pytest

from api.docker import filters
from api.docker.errors import DockerError

KNOWN = ("name", "label")


def test_both_forms() -> None:
    assert filters.parse("", KNOWN) == {}
    assert filters.parse('{"name": {"a": true, "b": true}}', KNOWN) == {"name": ["a", "b"]}
    assert filters.parse('{"name": ["a"]}', KNOWN) == {"name": ["a"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"colour": {"red": true}}', "invalid filter 'colour'"),
        ("nothing", "invalid filter"),
        ("[]", "invalid filter"),
        ("1", "invalid filter"),
        ('{"name": 1}', "invalid filter 'name'"),
        ('{"name": [1]}', "invalid filter 'name'"),
        ('{"name": {"a": 1}}', "invalid filter 'name'"),
        ('{"name": ["' + "x" * 70_000 + '"]}', "invalid filter"),
    ],
)
def test_what_is_none(text: str, message: str) -> None:
    with pytest.raises(DockerError) as caught:
        filters.parse(text, KNOWN)
    assert (caught.value.status, str(caught.value)) == (400, message)


def test_meanings() -> None:
    assert (
        filters.exact({}, "name", "x")
        and filters.begins({}, "name", "x")
        and filters.matches({}, "name", "x")
    )
    wanted = {"name": ["web", "d."]}
    assert filters.exact(wanted, "name", "web") and not filters.exact(wanted, "name", "web-1", "db")
    assert filters.begins(wanted, "name", "web-1") and not filters.begins(wanted, "name", "my-web")
    assert filters.matches(wanted, "name", "my-web") and filters.matches(wanted, "name", "mydb")
    assert not filters.matches({"name": ["^web$"]}, "name", "web-1")


@pytest.mark.parametrize("pattern", ["(", "*", "[", "a{99999}", "(?P<x", "\\"])
def test_a_broken_pattern_matches_only_itself(pattern: str) -> None:
    assert not filters.matches({"name": [pattern]}, "name", "a")
    assert filters.matches({"name": [pattern]}, "name", pattern)


def test_labels_must_all_be_there() -> None:
    found = {"a": "1", "b": "x=y", "c": ""}
    assert filters.labels({"label": ["a", "b=x=y", "c="]}, "label", found)
    assert not filters.labels({"label": ["a", "d"]}, "label", found)
    assert not filters.labels({"label": ["a=2"]}, "label", found)
    assert filters.labels({}, "label", {})
