"""Every Event comes back from its row exactly, however odd."""

from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.event import LEVELS, Container, Event, Printed, make_origin
from storage.local import columns
from storage.local.parquet_sql import COLUMNS

ORIGIN = make_origin(Container("ab" * 32, "web", None), "node-a", service="web", labels={"a.b": "c"}, tag="")
NUMBERS = {ORIGIN.key: 7}


def make(**changes: Any) -> Event:
    event = Event("j", 1, 2, 3, 4, 5, 6, "hello", ORIGIN)
    return msgspec.structs.replace(event, **changes)


def there_and_back(events: list[Event]) -> list[Event]:
    table = pa.Table.from_batches([columns.batch(events, NUMBERS)])
    duck = duckdb.connect()
    duck.register("hot", table)
    rows = duck.execute(f'SELECT {COLUMNS} FROM hot ORDER BY "offset"').fetchall()
    return [columns.event(row, {7: ORIGIN}) for row in rows]


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
printed = st.builds(Printed, st.binary(max_size=9), st.none() | text, st.integers(-(2**63), 2**63 - 1))
times = st.integers(-(2**63) + 2, 2**63 - 2)
events = st.builds(
    Event,
    st.sampled_from(["j", "other"]),
    st.integers(0, 2**62),
    st.integers(0, 2**31 - 1),
    times,
    times,
    st.integers(0, 2**53),
    st.integers(0, 2**53),
    text,
    st.just(ORIGIN),
    st.none() | st.sampled_from(["stdout", "stderr"]),
    st.none() | st.sampled_from(LEVELS),
    st.none() | st.dictionaries(text, json_values, max_size=3),
    st.just(False),
    st.lists(text, max_size=2).map(tuple),
    st.lists(printed, max_size=2).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(events, min_size=1, max_size=4))
def test_any_event_comes_back_exactly(made: list[Event]) -> None:
    numbered = [msgspec.structs.replace(event, offset=number) for number, event in enumerate(made)]
    assert there_and_back(numbered) == numbered


def test_json_line_is_kept_once() -> None:
    event = make(
        message='{"a": [1, 2.5, null], "b":"\\u00e4"}', fields={"a": [1, 2.5, None], "b": "ä"}, json_line=True
    )
    assert columns.batch([event], NUMBERS)["fields"].null_count == 1
    assert there_and_back([event]) == [event]


def test_no_fields_and_empty_fields_differ() -> None:
    made = [make(offset=0, fields=None), make(offset=1, fields={})]
    assert there_and_back(made) == made


def test_numbers_beyond_64_bits_in_fields_are_kept_as_numbers() -> None:
    row = columns.batch([make(fields={"big": 2**70})], NUMBERS)
    assert row["fields"][0].as_py() == '{"big": 1180591620717411303424}'


def test_storable_replaces_lone_surrogates_only() -> None:
    odd = make(message="a\ud800b", flags=("joined",))
    with pytest.raises(UnicodeEncodeError):
        columns.batch([odd], NUMBERS)
    assert there_and_back([columns.storable(odd)]) == [make(message="a?b", flags=("joined",))]


def test_unknown_origin_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        columns.batch([make()], {})
