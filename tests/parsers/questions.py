"""What is asked of Go and of parsers.gotemplate alike: a template, and what it is executed on.

`ANSWERS` is a file of questions with Go's answers, for machines that have no Go.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from parsers.go.info import Info
from parsers.go.values import to_go
from parsers.gotemplate import CLI_FUNCTIONS, DOCKER_FUNCTIONS, TemplateError, parse, render
from tests.parsers.infos import DATA, container
from tests.parsers.odd_templates import odd_template
from tests.parsers.templates import template

ANSWERS = Path(__file__).parent / "go_answers.json"
# Words that only this reader's limits have.
OUR_LIMIT = b"this reader"

_ORACLE_NAMES = {
    "config": "Config", "container_id": "ID", "container_name": "Name", "container_entrypoint": "Entrypoint",
    "container_args": "Args", "container_image_id": "ImageID", "container_image_name": "ImageName",
    "container_env": "Env", "container_labels": "Labels", "log_path": "LogPath", "hostname": "Hostname",
}  # fmt: skip


class Answer(msgspec.Struct, frozen=True):
    """`stage` is "output", or where it failed: "parse" or "execute"; then `text` is what Go says."""

    stage: str
    text: bytes


class Question(msgspec.Struct, frozen=True):
    """`container` has keyword arguments of Info; without one there is `data` in JSON. `cli`: with the
    functions of Docker's command line."""

    template: bytes
    container: dict[str, Any] | None = None
    data: str = "null"
    cli: bool = False

    def line(self) -> bytes:
        """For the oracle: bytes are base64, those of a map's keys code points."""
        asked: dict[str, Any] = {"Template": _base64(self.template), "CLI": self.cli}
        if self.container is None:
            asked["Data"] = json.loads(self.data)
        else:
            given = {name: _base64(self.container.get(key)) for key, name in _ORACLE_NAMES.items()}
            asked["Container"] = given | {"Created": self.container["container_created"]}
        return json.dumps(asked).encode() + b"\n"

    def answer(self) -> Answer:
        """Ours."""
        functions = CLI_FUNCTIONS if self.cli else DOCKER_FUNCTIONS
        try:
            tree = parse(self.template, functions)
        except TemplateError as error:
            return Answer("parse", error.docker.encode())
        value = to_go(json.loads(self.data)) if self.container is None else Info(**self.container)
        try:
            return Answer("output", render(tree, value, functions))
        except TemplateError as error:
            return Answer("execute", error.docker.encode())


def _base64(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, dict):
        return {key.decode("latin-1"): _base64(entry) for key, entry in value.items()}
    return None if value is None else [_base64(entry) for entry in value]


def readable(answer: Answer) -> Answer:
    """Go's error as ours are told: text, whatever bytes it quotes."""
    if answer.stage == "output":
        return answer
    return Answer(answer.stage, answer.text.decode("utf-8", "replace").encode())


def questions(random: Random, count: int, containers: Sequence[dict[str, Any]] = ()) -> list[Question]:
    """On the given containers, or new ones."""
    return [_question(random, containers) for _ in range(count)]


def _question(random: Random, containers: Sequence[dict[str, Any]]) -> Question:
    is_data = random.random() < 0.15
    make = template if random.random() < 0.7 else odd_template
    text = make(random, data=is_data)
    if is_data:
        return Question(text, None, random.choice(DATA), random.random() < 0.6)
    return Question(text, random.choice(containers) if containers else container(random))


# The file of answers


def save(asked: Sequence[Question], containers: list[dict[str, Any]], answers: Sequence[Answer]) -> None:
    """Bytes are written as the code points of their values."""
    rows = [
        [
            _latin(question.template),
            _place(question, containers),
            question.cli,
            answer.stage,
            _latin(answer.text),
        ]
        for question, answer in zip(asked, answers, strict=True)
    ]
    parts = {"containers": [_latin(one) for one in containers], "rows": rows}
    lines = [f'"{name}": [\n' + ",\n".join(map(json.dumps, part)) + "\n]" for name, part in parts.items()]
    ANSWERS.write_text("{" + ",\n".join(lines) + "}\n")


def load() -> list[tuple[Question, Answer]]:
    told = json.loads(ANSWERS.read_text())
    containers = [_bytes(one) for one in told["containers"]]
    found = []
    for text, place, cli, stage, answer in told["rows"]:
        given = containers[place] if isinstance(place, int) else None
        question = Question(_bytes(text), given, place if isinstance(place, str) else "null", cli)
        found.append((question, Answer(stage, _bytes(answer))))
    return found


def _place(question: Question, containers: list[dict[str, Any]]) -> int | str:
    return question.data if question.container is None else containers.index(question.container)


def _latin(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {_latin(key): _latin(entry) for key, entry in value.items()}
    return [_latin(entry) for entry in value] if isinstance(value, list) else value


def _bytes(value: Any) -> Any:
    """The inverse, for the arguments of Info: their names and the time stay texts."""
    if isinstance(value, str):
        return value.encode("latin-1")
    if isinstance(value, list):
        return [_bytes(entry) for entry in value]
    if isinstance(value, dict) and "container_id" in value:
        return {key: entry if key == "container_created" else _bytes(entry) for key, entry in value.items()}
    return {_bytes(key): _bytes(entry) for key, entry in value.items()} if isinstance(value, dict) else value
