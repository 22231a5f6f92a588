"""The corrected file: for anything that can be corrected it parses, is fine, and is not corrected again."""

import json
import random

import pytest

from api.doctor import fix
from api.doctor.options import BUILT_IN, FLUENTD, GELF
from tests.api.doctor.cases import ALL, NEW, context, look

VALUES = [
    '"x"',
    "true",
    "0",
    "null",
    '""',
    '"8m"',
    "[]",
    "{}",
    '["a"]',
    '"yes"',
    '"5"',
    '"-1s"',
    '"{{.Foo}}"',
    '".*"',
    '"(?!a)"',
    '"a, b"',
    '"log,x"',
    '"non-blocking"',
    '"udp://::1:5"',
    '"[::1]:3"',
    '"tcp://logdock:24224"',
    '"unix://x"',
    '"tls://a.b:1"',
    "1e3",
    '"none"',
    '"gzip"',
    '{"a":1}',
    '"99999999999"',
    "'q'",
    "“z”",
    "nope",
    '"\\."',
    '"fluentd"',
    '"gelf"',
    '"json-file"',
    '"loki:latest"',
    '"nope"',
]
KEYS = [
    *FLUENTD,
    *GELF,
    *BUILT_IN,
    "max-size",
    "fluentd-tag",
    "bogus",
    "label",
    "log-driver",
    "log-opts",
    "debug",
    "dns",
    "log-opt",
    "graph",
    "logging",
    "mtu",
]
PIECES = [
    ",",
    "{",
    "}",
    "[",
    "]",
    ":",
    '"',
    "'",
    " ",
    "\n",
    "//x\n",
    "/*",
    "*/",
    "#",
    "\\",
    "\\u12",
    "\t",
    "“",
    "=",
    ";",
    "\ufeff",
    "\u00a0",
    "true",
    "null",
    "1",
    "a",
    "é",
    "}}",
    ",,",
    "\x00",
]


def mutated(dice: random.Random, text: str) -> str:
    for _ in range(dice.randint(1, 5)):
        kind, at = dice.random(), dice.randint(0, len(text))
        if kind < 0.2:
            text = text[:at] + dice.choice(PIECES) + text[at:]
        elif kind < 0.3:
            text = text[:at] + text[at + dice.randint(1, 8) :]
        elif kind < 0.9 and "{" in text:
            opened = dice.choice([n for n, character in enumerate(text) if character == "{"])
            member = f'"{dice.choice(KEYS)}": {dice.choice(VALUES)},'
            text = text[: opened + 1] + member + text[opened + 1 :]
        else:
            text = text[:at]
    return text


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_done_to_a_file(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(60):
        text, version = (
            mutated(dice, dice.choice(ALL).bad),
            dice.choice(["20.10.24", "23.0", "26.1", "28.0", "29.7"]),
        )
        known = context(version)
        examined = look(text, version)
        correction = fix.correct(examined, known)
        if correction.text is None:
            assert correction.left, text
            continue
        if correction.text.strip():
            json.loads(correction.text)
        again = look(correction.text.encode(), version)
        assert not any(finding.counts for finding in again.findings), text
        assert fix.correct(again, known).text == correction.text
        if not any(finding.counts or finding.edits for finding in examined.findings):
            assert correction.text == text


@pytest.mark.parametrize("text", ["nonsense", "[1]", "5", '{"a"', '{"log-driver": }', "{} {}", '"x"', "{]"])
def test_the_hopeless_is_not_invented(text: str) -> None:
    correction = fix.correct(look(text), context())
    assert correction.text is None
    assert correction.left and all(finding.severity == "error" for finding in correction.left)


def test_what_a_person_must_decide_is_named() -> None:
    correction = fix.correct(
        look('{"log-driver": "fluentd", "log-opts": {"fluentd-address": "[fd00::1]"}}'), context()
    )
    assert [finding.code for finding in correction.left] == ["address-ipv6"]


def test_nothing_becomes_the_recommended_file() -> None:
    for text in ("", "{}", "null", "// nothing\n", " \n"):
        correction = fix.correct(look(text), context())
        assert correction.text is not None and json.loads(correction.text) == json.loads(NEW)


def test_comments_line_ends_tabs_and_order_stay() -> None:
    text = (
        '{\r\n\t"debug": true,\r\n\t"log-opts": {"tag": "x", "fluentd-async": true},\r\n'
        '\t"log-driver": "fluentd"\r\n}\r\n'
    )
    assert fix.correct(look(text), context()).text == text.replace(
        '"fluentd-async": true',
        '"fluentd-async": "true", "fluentd-sub-second-precision": "true", '
        '"labels-regex": "^com\\\\.docker\\\\."',
    )


def test_rules_that_undo_each_other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fix, "MAX_ROUNDS", 1)
    correction = fix.correct(look('{"log-driver": "fluentd", "log-opts": {"a": 1, "b": 2}}'), context())
    assert correction.text is None
