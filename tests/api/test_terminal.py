import io
import json

import pytest

from api import terminal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\nsecond", "plain\ttext\nsecond"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("bell\x07 del\x7f nul\x00", "bell\\x07 del\\x7f nul\\x00"),
        ("c1\x9b31m", "c1\\x9b31m"),
        ("10%\r50%\r100%", "100%"),
        ("100%\r", "100%"),
        ("a\rb\nc\rd", "b\nd"),
        ("turn \u202e around", "turn \\u202e around"),
        ("half \ud800 pair", "half \\ud800 pair"),
        ("grüße 日本", "grüße 日本"),
    ],
)
def test_escape(text: str, shown: str) -> None:
    assert terminal.escape(text) == shown


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_json_stays_json_and_steers_no_terminal() -> None:
    line = json.dumps({"m": "a\x1b\x7f\x9b31m \u202e \u00e4\n"}, ensure_ascii=False).encode() + b"\n"
    shown = terminal.json_for(_Screen(), line)
    assert shown == b'{"m": "a\\u001b\\u007f\\u009b31m \\u202e \xc3\xa4\\n"}\n'
    assert json.loads(shown) == json.loads(line)
    assert terminal.json_for(io.StringIO(), line) is line


def test_colour_only_where_it_is_wanted() -> None:
    assert terminal.wants_colour(_Screen(), {"TERM": "xterm"})
    assert not terminal.wants_colour(_Screen(), {"TERM": "dumb"})
    assert not terminal.wants_colour(_Screen(), {"NO_COLOR": "1"})
    assert not terminal.wants_colour(io.StringIO(), {"TERM": "xterm"})


def test_colours() -> None:
    assert terminal.by_level("x", "error") == "\x1b[31mx\x1b[0m"
    assert terminal.by_level("x", "info") == "x"
    assert terminal.by_level("x", None) == "x"
    assert terminal.by_name("web") == terminal.by_name("web")
    assert len({terminal.by_name(f"c{n}")[:5] for n in range(50)}) > 3
