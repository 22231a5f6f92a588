"""--format side by side with what it follows: the real `docker` command, and Go's own text/tabwriter."""

import json
import os
import random
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from api.cli_common import CliError
from api.cli_dots import CONTAINERS
from api.cli_fields import SAMPLE_CONTAINER
from api.cli_format import Format, Formatted
from api.tabwriter import aligned
from tests.real.conftest import missing

CACHE = Path(os.environ.get("LOGDOCK_TEST_CACHE", Path.home() / ".cache" / "logdock-tests"))
PATIENCE = 120.0  # seconds for Go to compile, or docker to answer

IMAGES = [
    "nginx:1.27",
    "registry.example:5000/shop/web:1@sha256:" + "a" * 64,
    "redis",
    "ghcr.io/x/y@sha256:" + "b" * 64,
]
# One each: before 28 docker prints several in any order.
LABELS: list[dict[str, str]] = [{"wide": "日本語"}, {}, {"b": "1=2<&>\"'"}, {"stage": "ünï"}]
NAMES = ["shop-web-1", "x1", "a-rather-long-name-for-a-container", "api"]
ITEMS = [
    {**SAMPLE_CONTAINER, "id": f"{n:x}b" * 32, "name": name, "image": image, "labels": labels}
    for n, (name, image, labels) in enumerate(zip(NAMES, IMAGES, LABELS, strict=True))
]

TEMPLATES = [
    "{{.Names}}",
    "{{.ID}}",
    r"{{.ID}}\t{{.Names}}\n{{.Image}}",
    "  {{.Image}}  ",
    "table {{.Names}}",
    "table{{.ID}}",
    "tableau {{.ID}}",
    r"table {{.ID}}\t{{.Names}}\t{{.Image}}",
    r"table {{.Labels}}\t{{.Names}}\t{{.ID}}",
    r'table {{.Label "wide"}}\t{{.Label "stage"}}\t{{.Label "com.example/my_team-x"}}\t{{.Names}}',
    r'table {{upper .Names}}\t{{join (split .Names "-") "+"}}\t{{pad .Names 1 2}}|\t{{truncate .Names 3}}',
    r"table {{json .Names}}\t{{title .Image}}\t{{lower .ID}}",
    r'table {{printf "%-5s|%q" .Names .ID}}\t{{len .Labels}}',
    r'table {{.Names}}{{if .Labels}}\t{{.Labels}}{{end}}\t{{.ID}}',
    "{{json .Labels}} {{json .Names}}",
    '{{range $i, $p := split .Names "-"}}{{if $i}}/{{end}}{{$p}}{{end}}',
    '{{with .Label "stage"}}[{{.}}]{{else}}none{{end}}',
    '{{if and (eq .Names "api") (ne .ID "")}}yes{{else if lt (len .Names) 3}}short{{end}}',
    '{{- /* nothing */ -}} {{.Names | printf "%10s" | printf "<%s>"}}',
    '{{define "x"}}({{.}}){{end}}{{template "x" .Names}}',
    "{{html .Labels}} {{js .Labels}} {{urlquery .Labels}}",
    '{{index (split .Names "-") 0}} {{println .ID}}{{print (len .ID) 1}}',
]  # fmt: skip
WRONG = [
    "{{.Foo}}",
    "{{foo .ID}}",
    "{{.ID",
    "{{.Label}}",
    "{{.Names.x}}",
    "{{if}}",
    "{{end}}",
    '{{.Label "a" "b"}}',
]


def as_docker_lists(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "Id": item["id"], "Names": [f"/{item['name']}"], "Image": item["image"], "ImageID": "sha256:1",
        "Command": "x", "Created": 1795482000, "State": "running", "Status": "Up", "Ports": [],
        "Labels": item["labels"],
    }  # fmt: skip


class Daemon(BaseHTTPRequestHandler):
    """As much of Docker's API as `docker ps` asks for."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer(b"")

    def do_GET(self) -> None:
        ping = self.path.endswith("/_ping")
        self.answer(b"OK" if ping else json.dumps([as_docker_lists(item) for item in ITEMS]).encode())

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Api-Version", "1.44")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing to stderr."""


def docker_command() -> str:
    """One whose tables are aligned by the width on a screen, as all are since 23.0."""
    fetched = CACHE / "docker-26.1" / "docker"
    for found in filter(None, (shutil.which("docker"), str(fetched) if fetched.exists() else None)):
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
        match = re.match(r"Docker version (\d+)\.", version)
        if match and int(match[1]) >= 23:
            return found
    missing("a docker command of 23.0 or newer")
    raise AssertionError


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    found = docker_command()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Daemon)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host, port = server.server_address[:2]
    config = str(tmp_path_factory.mktemp("config"))  # nobody's own psFormat or context
    yield {**os.environ, "DOCKER_HOST": f"tcp://{host}:{port}", "DOCKER_CONFIG": config, "DOCKER": found}
    server.shutdown()
    server.server_close()


def docker_ps(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [environ["DOCKER"], "ps", *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def ours(template: str, capfd: pytest.CaptureFixture[str], no_trunc: bool = False) -> str:
    printer = Formatted(Format(template, CONTAINERS), no_trunc)
    printer.events(ITEMS)
    printer.close()
    printer.check()
    return capfd.readouterr().out


@pytest.mark.parametrize("template", TEMPLATES)
def test_docker_ps_prints_the_same(
    environ: dict[str, str], capfd: pytest.CaptureFixture[str], template: str
) -> None:
    for flags in ([], ["--no-trunc"]):
        theirs = docker_ps(environ, "--format", template, *flags)
        assert (theirs.returncode, theirs.stderr) == (0, "")
        assert ours(template, capfd, bool(flags)) == theirs.stdout


@pytest.mark.parametrize("template", ["json", "{{json .}}"])
def test_json_has_dockers_names_and_values(
    environ: dict[str, str], capfd: pytest.CaptureFixture[str], template: str
) -> None:
    theirs = map(json.loads, docker_ps(environ, "--format", template).stdout.splitlines())
    mine = map(json.loads, ours(template, capfd).splitlines())
    common = ("ID", "Names", "Image", "Labels")
    assert [[one[key] for key in common] for one in mine] == [[one[key] for key in common] for one in theirs]


@pytest.mark.parametrize("template", WRONG)
def test_docker_ps_says_the_same_of_a_wrong_template(environ: dict[str, str], template: str) -> None:
    theirs = docker_ps(environ, "--format", template)
    assert theirs.returncode != 0
    said = theirs.stderr[theirs.stderr.index("template: :") :].strip()
    gos = said.replace("*formatter.ContainerContext", "logdock.Container")
    with pytest.raises(CliError) as caught:
        Format(template, CONTAINERS)
    assert f": {gos}" in str(caught.value)


TABWRITER = """package main

import (
	"bytes"
	"encoding/json"
	"os"
	"text/tabwriter"
)

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		panic(err)
	}
	for i, text := range texts {
		var out bytes.Buffer
		w := tabwriter.NewWriter(&out, 10, 1, 3, ' ', 0)
		w.Write([]byte(text))
		w.Flush()
		texts[i] = out.String()
	}
	json.NewEncoder(os.Stdout).Encode(texts)
}
"""
PIECES = ["a", "bb", "c" * 13, "é", " ", "\t", "\t", "\t", "\n", "\n", "\v", "\f"]


def test_gos_tabwriter_aligns_the_same(tmp_path: Path) -> None:
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        missing("Go")
    (tmp_path / "main.go").write_text(TABWRITER)
    chance = random.Random(7)
    texts = ["".join(chance.choices(PIECES, k=chance.randrange(40))) for _ in range(5000)]
    done = subprocess.run(
        [go, "run", "main.go"], cwd=tmp_path, input=json.dumps(texts), capture_output=True, text=True,
        timeout=PATIENCE, check=False, env={**os.environ, "GOFLAGS": "-mod=mod", "GO111MODULE": "off"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [aligned(text) for text in texts] == json.loads(done.stdout)
