import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.event import LEVELS
from parsers.lines import MAX_DEPTH, clean, json_object, level_and_fields, level_of_fields


@pytest.mark.parametrize(
    ("printed", "message"),
    [
        ("", ""),
        ("plain", "plain"),
        ("tty line\r", "tty line"),
        ("two\r\r", "two\r"),
        ("progress 10%\rprogress 100%", "progress 10%\rprogress 100%"),
        ("\x1b[32mINFO\x1b[0m \x1b[1;36mserver\x1b[0m up", "INFO server up"),
        ("\x1b[38;5;208mdisk\x1b[m\r", "disk"),
        ("\x1b[2K\rdone", "\rdone"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Btext\x1bM", "text"),
        ("\x1b]no end", "\x1b]no end"),
        ("\x1b[12", "\x1b[12"),
        ("\x1b", "\x1b"),
        ("nul\0bell\x07", "nul\0bell\x07"),
        ("[32m no escape", "[32m no escape"),
    ],
)
def test_terminal_codes_and_one_carriage_return_go(printed: str, message: str) -> None:
    assert clean(printed) == message


@given(st.text().filter(lambda text: "\x1b" not in text and not text.endswith("\r")))
def test_other_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({"level": "ERROR"}, "error"), ({"level": "Warning"}, "warn"), ({"level": " info "}, "info"),
        ({"level": "iNfO"}, "info"),
        ({"level": 10}, "trace"), ({"level": 30}, "info"), ({"level": 60}, "fatal"),
        ({"level": 35}, None), ({"level": True}, None),
        ({"level": "high"}, None), ({"level": None, "severity": "ERROR"}, "error"), ({"level": {}}, None),
        ({"level": ""}, None),
        ({"severity": "NOTICE"}, "info"), ({"lvl": "crit"}, "error"), ({"log.level": "emerg"}, "fatal"),
        ({"@l": "Fatal"}, "fatal"),
        ({"levelname": "DEBUG"}, "debug"), ({"log": {"level": "warn"}}, "warn"), ({"log": "level"}, None),
        ({"s": "E", "c": "NETWORK"}, "error"), ({"s": "E"}, None), ({"s": 1, "c": 1}, None),
        ({"msg": "ERROR"}, None), ({}, None),
    ],
)  # fmt: skip
def test_a_record_declares_its_level_by_a_usual_key(fields: dict[str, object], level: str | None) -> None:
    assert level_of_fields(fields) == level


@pytest.mark.parametrize(
    "line", ["{}", '{"a":1,"a":2}', '{"level":"info"}', '{"u":"\\ud55c"}', '{"big":1e400}']
)
def test_a_json_object_is_its_own_fields(line: str) -> None:
    level, fields, json_line = level_and_fields(line)
    try:
        expected = orjson.loads(line)
    except orjson.JSONDecodeError:
        expected = None
    assert (fields, json_line) == (expected, expected is not None)
    assert level == ("info" if "level" in line else None)


@pytest.mark.parametrize(
    "line",
    [
        '{"not":"closed"', '["array"]', '"text"', "{not json}", " {}", "{} ", '{"a":1}}', "{", "}",
        '{"s":"\\ud800"}',
        '{"a":' * 3000 + "1" + "}" * 3000, '{"nan":NaN}', "1", "null", "", "\tat x.y(Z.java:1) ERROR",
    ],
    ids=lambda line: line[:12],
)  # fmt: skip
def test_other_lines_have_no_fields(line: str) -> None:
    assert level_and_fields(line) == (None, None, False)


def test_a_text_line_has_the_level_of_its_header() -> None:
    assert level_and_fields("2026-11-24 01:02:03 ERROR boom") == ("error", None, False)


@given(st.text())
def test_any_text_gives_a_level_or_none(text: str) -> None:
    level, fields, json_line = level_and_fields(clean(text))
    assert level is None or level in LEVELS
    assert json_line == (fields is not None)


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**30 + 1, 10**400 + 1, -(2**63)])
def test_integers_of_any_length_are_exact(number: int) -> None:
    line = f'{{"n":{number},"a":[{number},1.5]}}'
    assert level_and_fields(line) == (None, {"n": number, "a": [number, 1.5]}, True)


@pytest.mark.parametrize("number", ["9" * 5000, "1e400", "NaN", "01"])
def test_a_number_that_is_none_leaves_the_line_text(number: str) -> None:
    assert level_and_fields(f'{{"n":{number}}}') == (None, None, False)


@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_what_nobody_can_write_again_is_text(opening: str, closing: str) -> None:
    """orjson, which writes answers, ends at 254 levels."""
    for depth, is_fields in ((MAX_DEPTH, True), (MAX_DEPTH + 1, False), (900, False), (100_000, False)):
        line = '{"a":' + opening * (depth - 1) + "1" + closing * (depth - 1) + "}"
        level, fields, json_line = level_and_fields(line)
        assert (level, fields is not None, json_line) == (None, is_fields, is_fields)
        if fields is not None:
            orjson.dumps({"events": [{"fields": fields}]})


def test_a_wide_object_is_not_deep() -> None:
    wide = {"a": [{"b": []}] * 300, "c": {str(n): {} for n in range(300)}}
    assert json_object(orjson.dumps(wide).decode()) == wide


@given(st.recursive(st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_json_is_read_as_everybody_reads_it(value: object) -> None:
    text = json.dumps({"a": value})
    assert json_object(text) == json.loads(text)


@given(st.text(alphabet='{}[]",:\\ue+-.0123456789atrufls \t\n\x01\ud800'))
def test_what_is_no_json_object_is_none(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=float)
    except ValueError:
        expected = None
    found = json_object(text)
    assert found is None or found == expected
