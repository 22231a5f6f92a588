"""Every example of docs/api.md, run by curl against a real server: it answers what the page shows."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from api.schemas import COMPONENTS
from tests.real import documented
from tests.real.conftest import Launcher, end_all, launcher
from tests.real.documented import SERVER, TEMPLATE, Example
from tests.real.server import Logdock

EXAMPLES = documented.examples()
PLAIN = [example for example in EXAMPLES if not example.path.endswith("/tail")]
NO_ANSWER = {"/api/v1/logs/export", "/docs", "/"}  # a file, and pages for people


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logdock]:
    servers: list[Logdock] = []
    launch: Launcher = launcher(tmp_path_factory.mktemp("documented"), servers)
    made = launch("--tag-template", TEMPLATE, start=False)
    made.data.mkdir()
    documented.fill_quarantine(made.data)
    yield made.start()
    end_all(servers)


@pytest.fixture(scope="module")
def line(server: Logdock) -> str:
    return documented.prepared(server)


@pytest.mark.parametrize("example", PLAIN, ids=lambda example: f"{example.method} {example.path}")
def test_an_example_works_and_answers_as_shown(
    example: Example, server: Logdock, line: str, tmp_path: Path
) -> None:
    done = documented.run(example.command, server, line, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    if example.path in NO_ANSWER:
        assert done.stdout.startswith("<!doctype html>") or (tmp_path / "web.ndjson").read_text()
        return
    assert example.answer is not None, "no answer stands below it"
    if not example.answer.startswith("{"):
        for text in example.answer.splitlines():
            assert text.partition("…")[0] in done.stdout
        return
    documented.same(json.loads(example.answer), json.loads(done.stdout))
    check_schema(example, server, json.loads(done.stdout))


def check_schema(example: Example, server: Logdock, answer: Any) -> None:
    """The answer has no key that OpenAPI does not know."""
    responses = server.get("/openapi.json").json()["paths"][example.path][example.method.lower()]["responses"]
    reference = responses["200"]["content"]["application/json"]["schema"]["$ref"]
    schema = {"$ref": reference, "components": {"schemas": strict(COMPONENTS)}}
    jsonschema_rs.validator_for(schema).validate(answer)


def strict(schema: Any) -> Any:
    """The same schema without room for more keys."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if schema.get("required") else {}
    return {name: strict(value) for name, value in schema.items()} | closed


def test_the_live_tail_answers_as_shown(server: Logdock, line: str) -> None:
    """`line` is there before, so that it is not the one that is followed."""
    (example,) = [example for example in EXAMPLES if example.path.endswith("/tail")]
    assert line and example.answer is not None
    command = example.command.replace(SERVER, server.http).replace("curl ", "exec curl -sS ", 1)
    with subprocess.Popen(["bash", "-c", command], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("id: ")
            documented.send(server, "GET /cart 200")
            got = [process.stdout.readline().rstrip("\n") for _ in range(4)]
        finally:
            process.kill()
    shown = example.answer.splitlines()[-3:]
    assert [text.partition(" ")[0] for text in got[1:]] == [text.partition(" ")[0] for text in shown]
    part = json.loads(shown[2].partition(" ")[2].replace(", ...}", "}"))
    whole = json.loads(got[3].partition(" ")[2])
    documented.same(part, {name: whole[name] for name in part})


def test_every_endpoint_has_an_example_with_an_answer(server: Logdock) -> None:
    asked = {
        (example.method, example.path) for example in EXAMPLES if example.answer or example.path in NO_ANSWER
    }
    paths = server.get("/openapi.json").json()["paths"]
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} <= asked
