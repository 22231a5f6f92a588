"""What every store does alike, part 2: an event comes back exactly as it went in, however odd it is."""

import json
from typing import Any

import msgspec
import pytest

from parsers.event import LEVELS, Container, Event, Origin, Printed, make_origin
from storage.query import ContainerRef, Query
from tests.storage.contract import Subject
from tests.storage.factories import FULL_ID, ORIGIN, TIME, event, origin


def exact(value: Any) -> str:
    """Equal only for equal JSON values of the same types: 1 is not 1.0 nor true."""
    return json.dumps(value, sort_keys=True)


async def round_trip(subject: Subject, lines: list[Event]) -> None:
    """By search, by id, and between unremarkable neighbours."""
    around = [event(1000, "before"), *lines, event(1001, "after")]
    await subject.add(around)
    found = {e.id: e for e in await subject.all(Query(limit=7))}
    assert len(found) == len(around)
    for line in lines:
        for back in (found[line.id], await subject.store.get(line.id)):
            assert back == line
            assert back is not None
            assert exact(back.fields) == exact(line.fields)
            assert back.origin.key == line.origin.key


FIELDS: list[dict[str, Any]] = [
    {},
    {"a": 1, "b": -1, "c": 0},
    {"small": -(2**63), "large": 2**64 - 1},
    {"huge": 2**70, "negative": -(10**30)},
    {"one": 1.0, "tiny": 5e-324, "vast": 1.7976931348623157e308, "minus": -0.0, "third": 1 / 3},
    {"yes": True, "no": False, "nothing": None},
    {"nested": {"deep": {"deeper": [1, [2, {"x": None}], "y"]}}, "empty": {}, "list": []},
    {"mixed": [1, "1", 1.0, True, None, {}, []]},
    {"a": 1, "a.b": 2, "a.b.c": 3},
    {"a": {"b": 1}, "a.b": 2},
    {"": "empty name", " ": "blank", ".": "dot", "..": "dots", "a.": 1, ".a": 2},
    {"Ünïcode ☃": "\U0001f600", "quote\"'`": "\"'`", "new\nline": "\n", "$": "$", "%s": "%s"},
    {"nul\0key": "nul\0value", "control": "\x01\x1b\x7f"},
    {"date": "2026-11-24", "number": "12", "a": {"date": 7}},
    {"date": 5, "number": {"now": "an object"}},
    {"long": "x" * 40_000, "k" * 2000: "v"},
    {"wide": {f"k{n}": n for n in range(500)}},
    {"replacement": "\ufffd", "separators": "\u2028\u2029", "bom": "\ufeff", "unassigned": "\U0010ffff"},
    {"deep": json.loads('{"a":' * 40 + "1" + "}" * 40)},
]

MESSAGES = [
    "",
    " ",
    "\r",
    "\n",
    "tail \r",
    "inner \r stays",
    "two\nlines\n",
    "\0",
    "a\0b",
    "\ufffd",
    "\ufffd\ufffd broken \ufffd",
    "emoji \U0001f9d1\u200d\U0001f680 and \u0301combining",
    "\x1b[31mred\x1b[0m",
    "tab\tvertical\x0bform\x0c",
    "\u2028 \u2029 \u0085 \ufeff",
    "{not json",
    '{"json": 1}',
    "x" * 300_000,
    "\u4e16" * 100_000,
    "word " * 20_000,
    "'; DROP TABLE events; --",
    '"\\"',
    "NULL",
    "\U0010ffff\ue000",
]

LABELS: list[dict[str, str]] = [
    {},
    {"": "empty name"},
    {"a": "1", "a.b": "2", "a.b.c": "3"},
    {".": "dot", "a.": "ends", ".a": "begins", "a..b": "twice"},
    {"key=with=equals": "v=w", "star*": "*", "question?": "?", "space key": "space value"},
    {"Ünïcode ☃": "\U0001f600", "quote\"'`\\": "\"'`\\"},
    {"nul\0key": "v", "k": "nul\0value"},
    {"empty": "", "blank": " ", "newline": "\n"},
    {"long": "x" * 40_000, "k" * 2000: "v"},
    {"_id": "1", "@timestamp": "2", "type": "3", "properties": "4"},
    {f"label{n}": str(n) for n in range(200)},
]


@pytest.mark.parametrize("changes", [
    {"stream": "stdout"}, {"stream": "stderr"}, {"stream": None},
    *[{"level": level} for level in (*LEVELS, None)],
    {"flags": ("joined",)}, {"flags": ("truncated", "malformed", "joined")},
    {"observed": TIME - 10**18}, {"observed": TIME + 1},
    {"position": 0, "sequence": 0, "offset": 0},
    {"position": 2**53 - 1, "sequence": 2**53 - 1, "offset": 2**53 - 1},
    {"index": 2**31 - 1}, {"journal": "zz"},
    {"timestamp": 0}, {"timestamp": 1}, {"timestamp": -1}, {"timestamp": -(10**18)},
    {"timestamp": 999_999_999}, {"timestamp": 2**62}, {"timestamp": 2**63 - 2}, {"timestamp": TIME + 1},
    {"printed": (Printed(b"\xff\xfe\0raw\r", "stdout", TIME),)},
    {"printed": (Printed(b"", None, 0), Printed(b"\x1b[1mx", "stderr", -5))},
    {"printed": (Printed("é".encode(), "stdout", 2**62), Printed("é".encode(), "stdout", 2**62))},
    {"printed": (Printed(bytes(range(256)) * 400, "stdout", TIME),), "flags": ("joined",)},
])  # fmt: skip
async def test_attributes(subject: Subject, changes: dict[str, Any]) -> None:
    await round_trip(subject, [event(3, **changes)])


async def test_messages(subject: Subject) -> None:
    await round_trip(subject, [event(n, message) for n, message in enumerate(MESSAGES)])


async def test_fields(subject: Subject) -> None:
    await round_trip(subject, [event(n, fields=fields) for n, fields in enumerate(FIELDS)])


async def test_lines_that_are_json(subject: Subject) -> None:
    """A JSON line with its fields; spacing, escapes and number forms of the line stay its own."""
    texts = [json.dumps(fields) for fields in FIELDS if "huge" not in fields and "deep" not in fields]
    texts += ['{ "a" : 1.50, "b":\t"\\u00e9\\/", "c": 1E5 }', '{"a": {"b": []}}\n', '  {"a":1}  ']
    lines = [event(n, text, fields=json.loads(text), json_line=True) for n, text in enumerate(texts)]
    await round_trip(subject, lines)


async def test_fields_that_the_line_does_not_have(subject: Subject) -> None:
    """A line that looks like JSON, whose fields are something else: json_line is false."""
    await round_trip(subject, [event(0, '{"a": 1}', fields={"a": 2}), event(1, '{"a": 1}', fields=None)])


async def test_labels(subject: Subject) -> None:
    await round_trip(subject, [event(n, origin=origin(labels=labels)) for n, labels in enumerate(LABELS)])
    for labels in LABELS:
        for key, value in labels.items():
            having = [n for n, others in enumerate(LABELS) if key in others]
            same = [n for n in having if LABELS[n][key] == value]
            assert await found(subject, Query(labels=((key, None),), order="asc")) == having, key
            assert await found(subject, Query(labels=((key, value),), order="asc")) == same, key
            assert [v.name for v in await subject.store.label_values(key, Query(labels=((key, value),)))] == [
                value
            ]
            if len(labels) > 20:
                break


async def found(subject: Subject, query: Query) -> list[int]:
    return [e.offset for e in await subject.all(query)]


ORIGINS: list[Origin] = [
    make_origin(Container(), ""),
    make_origin(Container(None, "only-a-name"), "h"),
    make_origin(Container(FULL_ID), "h"),
    make_origin(Container("not an id", "name with space", "registry:5000/image@sha256:" + "a" * 64), "höst"),
    make_origin(Container(FULL_ID, "x" * 300), "h" * 300, service="s" * 300, service_source="name"),
    make_origin(Container(FULL_ID, ""), "h", service="", tag=""),
    make_origin(Container(FULL_ID, "n"), "h", tag="t", tag_fields={"Name": "n", "": "", "a.b": "\0"}),
    make_origin(Container(FULL_ID, "n"), "h", tag="t" * 5000, tag_template="{{.Name}}"),
    make_origin(Container(FULL_ID, "n"), "h", service="ünï\0☃", service_source="label:x"),
    make_origin(Container(FULL_ID, "n"), "h", tag="nul\0tag*"),
]


async def test_origins(subject: Subject) -> None:
    await round_trip(subject, [event(n, origin=one) for n, one in enumerate(ORIGINS)])


async def test_origins_are_found_by_each_part(subject: Subject) -> None:
    await subject.add([event(n, origin=one) for n, one in enumerate(ORIGINS)])
    for number, one in enumerate(ORIGINS):
        queries = [Query(hosts=(one.host,))]
        queries += [Query(services=(one.service,))] if one.service is not None else []
        queries += [Query(tag=one.tag)] if one.tag is not None else []
        queries += [Query(tag=one.tag[:3] + "*")] if one.tag is not None else []
        if one.container.id is not None:
            queries.append(Query(containers=(ContainerRef(id=one.container.id),)))
        if one.container.name is not None:
            queries.append(Query(containers=(ContainerRef(name=one.container.name),)))
        for query in queries:
            assert number in await found(subject, query), query


async def test_one_batch_of_everything(subject: Subject) -> None:
    """Odd events side by side, more than one kind of oddness each."""
    lines = [
        event(
            n,
            MESSAGES[n % len(MESSAGES)],
            fields=FIELDS[n % len(FIELDS)] if n % 3 else None,
            origin=[ORIGIN, *ORIGINS, *[origin(labels=labels) for labels in LABELS]][n % 22],
            level=(*LEVELS, None)[n % 7],
        )
        for n in range(60)
    ]
    await round_trip(subject, lines)


async def test_pages_of_long_lines(subject: Subject) -> None:
    lines = [event(n, f"{n} " + "long " * 60_000) for n in range(12)]
    await subject.add(lines)
    assert [e.message for e in await subject.all(Query(order="asc", limit=5))] == [e.message for e in lines]


async def test_the_store_keeps_what_it_was_given(subject: Subject) -> None:
    """Events are values: nobody writes into the dictionaries of one that a search gave out."""
    line = event(0, fields={"a": {"b": 1}})
    await subject.add([line])
    assert line == event(0, fields={"a": {"b": 1}})
    assert msgspec.structs.asdict((await subject.all())[0])["fields"] == {"a": {"b": 1}}
