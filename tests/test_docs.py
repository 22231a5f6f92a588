"""The documentation is under test: every route, setting, command and flag is in it, and its examples work."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import typer.main

from api import cli
from api.app import create_app
from api.cli_dots import CONTAINERS, EVENTS
from api.cli_fields import View
from api.cli_format import Format
from api.cli_serve import shown_default
from api.services import Services
from api.settings import ENV_PREFIX, Settings, flag, load_settings
from ingest.http import http_inputs
from parsers.event import Container, Event, make_origin
from storage.memory import MemoryStore
from storage.metrics import Metrics
from storage.store import Checkpoint
from storage.tail import Tail

ROOT = Path(__file__).parents[1]
API = (ROOT / "docs/api.md").read_text()
SETTINGS = (ROOT / "docs/settings.md").read_text()
COMMANDS = (ROOT / "docs/commands.md").read_text()

HEADING = re.compile(r"^### (GET|POST) (\S+)$", re.MULTILINE)
EXAMPLE = re.compile(r"^    curl .*'(http://127\.0\.0\.1:8080[^']*)'", re.MULTILINE)


def sections() -> dict[tuple[str, str], str]:
    """(method, path) -> the text below its heading."""
    parts = HEADING.split(API)[1:]
    return {(parts[n], parts[n + 1]): parts[n + 2] for n in range(0, len(parts), 3)}


def application() -> Any:
    metrics = Metrics()
    services = Services(MemoryStore(metrics), Tail(metrics), metrics, load_settings(http="127.0.0.1:8080"))
    services.routers.append(http_inputs(None, None))  # type: ignore[arg-type]  # its routes only
    return create_app(services)


def routes() -> set[tuple[str, str]]:
    """Every (method, path) that is served on purpose."""
    found = {
        (method.upper(), path)
        for path, methods in application().openapi()["paths"].items()
        for method in methods
    }
    return found | {("GET", "/docs"), ("GET", "/")}


def test_every_route_is_documented_and_nothing_else() -> None:
    assert set(sections()) == routes()


def test_every_route_has_an_example_of_itself() -> None:
    for (method, path), text in sections().items():
        shape = re.sub(r"\{\w+\}", "[^/?]+", path)
        examples = [urlsplit(url).path for url in EXAMPLE.findall(text)]
        assert any(re.fullmatch(shape, example) for example in examples), (method, path)


async def _documented_server() -> httpx.AsyncClient:
    app = application()
    labels = {"com.docker.compose.service": "web", "com.docker.compose.project": "shop"}
    origin = make_origin(
        Container("3b" * 32, "shop-web-1", "nginx:1.27"), "node-a", service="web", labels=labels
    )
    event = Event("k3v9x0ab", 26, 0, 10**18, 10**18, 26, 26, "GET /cart 502", origin)
    await app.state.services.store.append([event], Checkpoint(27, 27, 27))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app))


EXAMPLES = [
    url
    for (method, path), text in sections().items()
    if method == "GET" and not path.endswith("/tail")
    for url in EXAMPLE.findall(text)
]


@pytest.mark.parametrize("url", EXAMPLES)
async def test_examples_work(url: str) -> None:
    async with await _documented_server() as client:
        answer = await client.get(url)
    assert answer.status_code == 200, answer.text


async def test_the_example_answer_has_every_key() -> None:
    async with await _documented_server() as client:
        answer = (await client.get("http://127.0.0.1:8080/api/v1/logs")).json()
    shown = set(re.findall(r'"(\w+)": ', API[API.index('{"events"') : API.index("- `timestamp`")]))
    assert {*answer, *answer["events"][0], *answer["events"][0]["container"]} <= shown


async def test_every_key_of_a_container_is_named() -> None:
    async with await _documented_server() as client:
        items = (await client.get("http://127.0.0.1:8080/api/v1/containers")).json()["items"]
    named = re.findall(r"`(\w+)`", sections()["GET", "/api/v1/containers"])
    assert set(items[0]) <= set(named)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    shown = shown_default(name, Settings.model_fields[name])
    cell = shown if shown.startswith(("none", "the machine's")) else f"`{shown}`"
    assert f"| `{flag(name)}` | `{ENV_PREFIX}{name.upper()}` | {cell} | " in SETTINGS


def test_no_setting_is_documented_that_does_not_exist() -> None:
    documented = re.findall(r"^\| `(--[\w-]+)` \|", SETTINGS, re.MULTILINE)
    assert documented == [flag(name) for name in Settings.model_fields]


def _commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(cli.build([]))
    return dict(group.commands)


def _section(name: str) -> str:
    match = re.search(rf"^## logdock {name}\b.*?(?=^## |\Z)", COMMANDS, re.MULTILINE | re.DOTALL)
    assert match is not None, f"docs/commands.md has no section for {name}"
    return match[0]


@pytest.mark.parametrize("name", [name for name in cli.COMMANDS if name != "serve"])
def test_every_command_is_documented_with_every_flag(name: str) -> None:
    text = _section(name)
    options = [
        option for parameter in _commands()[name].params for option in parameter.opts if option[0] == "-"
    ]
    missing = [
        option
        for option in options
        if f"`{option}" not in text and option not in ("-h", "--help", "-o", "-q")
    ]
    assert missing == []


def test_every_command_has_a_section_and_the_readme_names_them() -> None:
    assert re.findall(r"^## logdock (\w+)", COMMANDS, re.MULTILINE) == list(cli.COMMANDS)
    readme = (ROOT / "README.md").read_text()
    for name in ("serve", "logs", "ps", "emit", "export"):
        assert f"logdock {name}" in readme


def test_every_name_of_a_template_is_documented_and_nothing_else() -> None:
    rows = re.findall(r"^\| (both|`ps`|`logs`) \| (.*) \|$", _section("ps"), re.MULTILINE)
    assert [row[0] for row in rows] == ["both", "`ps`", "`logs`"]
    both, ps, logs = (set(re.findall(r"`\.([\w.]+)", row[1])) for row in rows)
    assert both | ps == set(CONTAINERS.own_names) - {"ServiceDetail"}
    of_lines = set(EVENTS.own_names) - {"ServiceDetail", "Container"}
    assert both | logs == of_lines | {f"Container.{name}" for name in EVENTS.parts["Container"].own_names}


def test_the_examples_of_templates_work() -> None:
    found = re.findall(r"^    logdock (ps|logs).* --format '(.*)'$", COMMANDS, re.MULTILINE)
    assert len(found) >= 4
    for command, template in found:
        kind = CONTAINERS if command == "ps" else EVENTS
        assert Format(template, kind).row(kind.sample, View())


def test_links_between_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
