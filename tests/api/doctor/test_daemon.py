"""daemon.json as a set-up, and the edits that it offers."""

import json

import pytest

from api.doctor import engine
from api.doctor.daemon import setup_of
from api.doctor.document import apply
from api.doctor.reader import read
from api.doctor.setup import Setup
from tests.api.doctor.cases import known_here

BARE = '{\n  "log-driver": "gelf"\n}\n'
FULL = (
    '{\n  "live-restore": true,\n  "log-opts": {\n    "a": "1",\n    "b": null,\n'
    '    "c": true,\n    "d": []\n  }\n}\n'
)


def setup(text: str) -> Setup:
    return setup_of(read(text), engine.told("26.1"), frozenset(), known_here, covered=False)


def test_what_it_says() -> None:
    made = setup(FULL)
    assert (made.driver, made.live_restore) == ("json-file", True)
    assert made.options == {"a": "1", "b": "", "c": "true"}
    assert {key: place.line for key, place in made.places.items()} == {
        "live-restore": 2, "log-opts": 3, "a": 4, "b": 5, "c": 6, "d": 7,
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{", '{"log-driver": ""}', '{"log-driver": 5}', '{"log-opts": []}']
)
def test_dockers_default(text: str) -> None:
    made = setup(text)
    assert (made.driver, made.options, made.live_restore) == ("json-file", {}, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BARE, {"log-driver": "gelf", "log-opts": {"x": "1", "y": "2"}}),
        ('{"log-opts": null}', {"log-opts": {"x": "1", "y": "2"}}),
        ('{"log-opts": {}}', {"log-opts": {"x": "1", "y": "2"}}),
        ('{"log-opts": {"y": "0", "z": "3"}}', {"log-opts": {"y": "2", "z": "3", "x": "1"}}),
    ],
)
def test_set(text: str, expected: dict[str, object]) -> None:
    made = apply(text, setup(text).editor.set({"x": "1", "y": "2"}))
    assert json.loads(made) == expected


def test_remove_and_rename() -> None:
    assert json.loads(apply(FULL, setup(FULL).editor.remove("a")))["log-opts"] == {
        "b": None,
        "c": True,
        "d": [],
    }
    assert json.loads(apply(FULL, setup(FULL).editor.rename("a", "z")))["log-opts"]["z"] == "1"
    assert setup(BARE).editor.remove("a") == setup(BARE).editor.rename("a", "b") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"log-driver": "fluentd", "log-opts": {"x": "1"}}),
        ("{}", {"log-driver": "fluentd", "log-opts": {"x": "1"}}),
        (BARE, {"log-driver": "fluentd", "log-opts": {"x": "1"}}),
        ('{"log-opts": {"x": "0"}}', {"log-driver": "fluentd", "log-opts": {"x": "0"}}),
        ('{"debug": true}', {"debug": True, "log-driver": "fluentd", "log-opts": {"x": "1"}}),
    ],
)
def test_driver(text: str, expected: dict[str, object]) -> None:
    made = apply(text, setup(text).editor.driver("fluentd", {"x": "1"}))
    assert json.loads(made) == expected
    assert made.index("log-driver") < made.index("log-opts")
