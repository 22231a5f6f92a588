"""Selections: read as docker's prune filters read."""

import pytest

from parsers.event import Container, make_origin
from storage.prune import Selection, selects, selects_origin
from storage.query import ContainerRef, QueryError
from tests.storage.factories import ORIGIN, TIME, event, origin

HOUR = 3600 * 1_000_000_000


def test_filters_become_a_selection() -> None:
    filters = {
        "until": ["240h"],
        "label": ["env=prod", "team", "a=b=c", "empty="],
        "label!": ["keep", "tier=db"],
        "service": ["web", "web", "api"],
        "container": ["3b6c"],
    }
    assert Selection.from_filters(filters, TIME) == Selection(
        until=TIME - 240 * HOUR,
        services=("web", "api"),
        labels=(("env", "prod"), ("team", None), ("a", "b=c"), ("empty", "")),
        not_labels=(("keep", None), ("tier", "db")),
        container_refs=("3b6c",),
        text="container=3b6c service=web service=web service=api label=env=prod label=team label=a=b=c"
        " label=empty= label!=keep label!=tier=db until=240h",
    )


def test_without_until_it_ends_now() -> None:
    assert Selection.from_filters({"service": ["web"]}, TIME).until == TIME


@pytest.mark.parametrize(
    ("filters", "parameter"),
    [
        ({}, "until"),
        ({"service": []}, "until"),
        ({"until": ["1h", "2h"]}, "until"),
        ({"until": [" "]}, "until"),
        ({"until": ["yesterday"]}, "until"),
        ({"label": ["=v"]}, "label"),
        ({"label!": ["=v"]}, "label!"),
        ({"network": ["x"]}, "network"),
        ({"service": ["x"] * 1001}, "service"),
    ],
)
def test_what_is_refused(filters: dict[str, list[str]], parameter: str) -> None:
    with pytest.raises(QueryError) as refused:
        Selection.from_filters(filters, TIME)
    assert refused.value.parameter == parameter


LABELLED = origin(labels={"env": "prod", "team": "a"})


@pytest.mark.parametrize(
    ("selection", "goes"),
    [
        (Selection(), True),
        (Selection(labels=(("env", "prod"), ("team", None))), True),
        (Selection(labels=(("env", "prod"), ("team", "b"))), False),
        (Selection(not_labels=(("env", "test"),)), True),
        (Selection(not_labels=(("env", None),)), False),
        (Selection(not_labels=(("env", "test"), ("team", "a"))), False),  # docker's engine would take it
        (Selection(labels=(("env", None),), not_labels=(("none", None),)), True),
        (Selection(services=("web", "api")), True),
        (Selection(services=("api",)), False),
        (Selection(containers=(ContainerRef(name="shop-web-1"),)), True),
        (Selection(containers=(ContainerRef(name="other"),), services=("web",)), False),
    ],
)
def test_which_origins_go(selection: Selection, goes: bool) -> None:
    assert selects_origin(selection, LABELLED) is goes


def test_references_that_were_not_resolved_take_nothing_of_their_own() -> None:
    bare = make_origin(Container(), "h")
    assert not selects_origin(Selection(containers=(ContainerRef(id=None, name=None),)), bare)


def test_until_counts_from_when_a_line_was_observed() -> None:
    line = event(timestamp=TIME - 1000 * HOUR, observed=TIME, origin=ORIGIN)
    assert not selects(Selection(until=TIME), line)
    assert selects(Selection(until=TIME + 1), line)
