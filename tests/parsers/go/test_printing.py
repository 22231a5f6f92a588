from typing import Any

import pytest

from parsers.go.info import Info
from parsers.go.printing import Printer, printed, reflected
from parsers.go.times import Month, Time
from parsers.go.values import NIL_MAP, NIL_STRINGS, NO_VALUE, AnyMap, Boxed, Uint8


def one(value: Any, verb: str = "v", **flags: Any) -> bytes:
    printer = Printer()
    for name, flag in flags.items():
        setattr(printer, name, flag)
    printer.print(value, verb)
    return printer.buffer.value()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"a", "a"), (True, "true"), (-3, "-3"), (1.5, "1.5"), (1 + 2j, "(1+2i)"), (None, "<nil>"),
        ((b"a", b"b"), "[a b]"), ({b"b": b"2", b"a": b"1"}, "map[a:1 b:2]"),
        ([1, b"x", None], "[1 x <nil>]"), (AnyMap({b"k": [AnyMap()]}), "map[k:[map[]]]"),
        (NIL_STRINGS, "[]"), (NIL_MAP, "map[]"), (Month(5), "May"),
        (Time(), "0001-01-01 00:00:00 +0000 UTC"),
    ],
)  # fmt: skip
def test_a_value(value: Any, text: str) -> None:
    assert one(value) == text.encode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"a\n", '"a\\n"'), (Uint8(10), "0xa"), (10, "10"), ((b"a",), '[]string{"a"}'),
        (NIL_STRINGS, "[]string(nil)"), ({b"a": b"1"}, 'map[string]string{"a":"1"}'),
        (NIL_MAP, "map[string]string(nil)"), (None, "<nil>"),
        ([None, 1], "[]interface {}{interface {}(nil), 1}"),
        (AnyMap({b"a": 1}), 'map[string]interface {}{"a":1}'), (Month(5), "5"),
        (Time(), "time.Date(1, time.January, 1, 0, 0, 0, 0, time.UTC)"),
    ],
)  # fmt: skip
def test_a_value_in_go_syntax(value: Any, text: str) -> None:
    assert one(value, sharp_v=True) == text.encode()


@pytest.mark.parametrize(
    ("value", "verb", "text"),
    [
        (b"a", "d", "%!d(string=a)"), (1, "s", "%!s(int=1)"), (True, "d", "%!d(bool=true)"),
        (1.5, "d", "%!d(float64=1.5)"), (None, "d", "%!d(<nil>)"), ((b"a",), "d", "[%!d(string=a)]"),
        ({b"a": b"b"}, "t", "map[%!t(string=a):%!t(string=b)]"), (b"a", "w", "%!w(string=a)"),
        ((b"a",), "w", "%!w([]string=[a])"), ([1], "s", "[%!s(int=1)]"), ([None], "s", "[<nil>]"),
        (1, "é", "%!é(int=1)"), (Month(5), "t", "%!t(time.Month=5)"), (Time(7, 8), "d", "{8 7 0}"),
        (Time(7, 8), "t", "{%!t(uint64=8) %!t(int64=7) %!t(*time.Location=<nil>)}"), (b"a", "T", "string"),
        ([], "T", "[]interface {}"), (65, "c", "A"), (65, "U", "U+0041"), (-1, "q", "'\ufffd'"),
        (b"ab", "x", "6162"), ((b"ab",), "X", "[6162]"), (b"a", "p", "%!p(string=a)"),
        (NIL_STRINGS, "p", "0x0"), ((b"a",), "p", "0xc000000000"),
    ],
)  # fmt: skip
def test_a_verb(value: Any, verb: str, text: str) -> None:
    assert one(value, verb) == text.encode()


def test_flags_reach_the_value_of_a_bad_verb() -> None:
    assert one(b"a", "d", width=4) == b"%!d(string=   a)"


def test_a_pointer_to_a_struct() -> None:
    info = Info(container_name="/web", container_labels={"a": "b"})
    assert one(info) == b"&{map[]  /web  []   0001-01-01 00:00:00 +0000 UTC [] map[a:b]  docker}"
    assert one(info, plus_v=True).startswith(b"&{Config:map[] ContainerID: ContainerName:/web ")
    assert one(info, sharp_v=True).startswith(b'&logger.Info{Config:map[string]string(nil), ContainerID:"", ')
    assert one(info, "T") == b"*logger.Info"


def test_spaces_stand_between_values_that_are_no_strings() -> None:
    assert printed([1, 2, b"a", 3, True, None]) == b"1 2a3 true <nil>"
    printer = Printer()
    printer.print_line([1, b"a"])
    assert printer.buffer.value() == b"1 a\n"


def test_a_value_in_a_message() -> None:
    assert reflected(NO_VALUE) == b"<invalid reflect.Value>"
    assert reflected(Boxed(b"a")) == b"a"
    assert reflected(Time()) == b"0001-01-01 00:00:00 +0000 UTC"
