import orjson
import pytest

from parsers.foreign import Line, line_of_parts, line_of_record


def line(record: dict[str, object]) -> Line:
    return line_of_record(record, None, 7)


@pytest.mark.parametrize(
    ("record", "message", "fields"),
    [
        ({"log": "a", "message": "b", "short_message": "c"}, "a", {"message": "b", "short_message": "c"}),
        ({"message": "b", "short_message": "c", "n": 1}, "b", {"short_message": "c", "n": 1}),
        ({"short_message": "c", "n": {"m": [1]}}, "c", {"n": {"m": [1]}}),
        ({"log": None, "message": "b"}, "b", {"log": None}),
        ({"log": ""}, "", None),
        ({"log": "only"}, "only", None),
        ({"log": 5, "b": b"\xff"}, "5", {"b": "\ufffd"}),
        ({"log": {"a": 1}, "b": 2}, '{"a":1}', {"a": 1, "b": 2}),
    ],
)
def test_the_first_usual_key_is_the_message_and_the_rest_are_fields(
    record: dict[str, object], message: str, fields: object
) -> None:
    made = line(record)
    assert (made.message, made.fields, made.json_line) == (message, fields, False)


@pytest.mark.parametrize("record", [{}, {"a": 1, "level": "warn"}, {"b": b"\xff", "n": float("nan")}])
def test_a_record_without_a_message_is_its_own_json(record: dict[str, object]) -> None:
    made = line(dict(record))
    assert made.json_line
    assert orjson.loads(made.message) == made.fields
    assert made.level == record.get("level")


def test_a_json_message_adds_its_keys_and_the_senders_win() -> None:
    made = line({"log": '{"a":1,"b":2,"level":"debug"}', "b": 3})
    assert (made.fields, made.json_line, made.level) == ({"a": 1, "b": 3, "level": "debug"}, False, "debug")
    alone = line({"log": '{"a":1}'})
    assert (alone.fields, alone.json_line) == ({"a": 1}, True)


def test_the_senders_level_goes_before_the_messages() -> None:
    assert line({"log": "[ERROR] x", "level": "info"}).level == "info"
    assert line({"log": "[ERROR] x", "level": "?"}).level == "error"
    assert line({"log": "[ERROR] x"}).level == "error"


def test_what_the_message_does_not_say_exactly_is_kept() -> None:
    made = line_of_parts(b"\x1b[1mbad\xff\x1b[m\r", {}, "stderr", 7)
    assert made.message == "bad\ufffd"
    assert [(p.data, p.stream, p.timestamp) for p in made.printed] == [
        (b"\x1b[1mbad\xff\x1b[m\r", "stderr", 7)
    ]
