"""Real dockerd makes the tags: what logdock reads out of them is what `docker inspect` says.

One server is told all templates, each with a prefix of its own, as a person with several daemons would.
Docker 20.10 sends through fluentd and GELF over TCP, 26.1 through fluentd and GELF over UDP.
"""

import json
import socket
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from parsers.go.info import Info
from parsers.gotemplate import TemplateError, parse, render
from tests.real.conftest import Launcher
from tests.real.dockerd import Dockerd, DockerError
from tests.real.server import Logdock

pytestmark = pytest.mark.docker

IMAGE = "registry.example:5000/team_a/web-app:1.2-rc.1"
SERVICE, PROJECT = "com.docker.compose.service", "com.docker.compose.project"
LABELS = {PROJECT: "shop", SERVICE: "api-gateway", "app": 'we"b/1|x', "tier": "front"}
# it sleeps because Docker loses the line of a container that ends while it is still being started
COMMAND = ["sh", "-c", "echo hello there; sleep 0.3"]


def label(key: str) -> str:
    return f'index .ContainerLabels "{key}"'


# template -> the paths that must be told with nothing known but the tag and Docker's record
TEMPLATES: dict[str, tuple[str, ...]] = {
    "{{.ID}}": ("ID",),
    "{{.FullID}}": ("FullID",),
    "{{.Name}}/{{.ID}}": ("Name", "ID"),
    "{{.Name}}.{{.ImageName}}": ("Name", "ImageName"),
    "{{.ImageName}}/{{.Name}}/{{.ID}}": ("ImageName", "Name", "ID"),
    "{{.Hostname}}/{{.DaemonName}}/{{.ImageID}}": ("Hostname", "DaemonName", "ImageID"),
    "{{.ImageFullID}}|{{.Command}}": ("ImageFullID", "Command"),
    "{{.ContainerName}} {{.ContainerImageName}}": ("ContainerName", "ContainerImageName"),
    "{{slice .ContainerName 1}}": ("Name",),
    "{{" + label(SERVICE) + "}}/{{.ID}}": (f"ContainerLabels.{SERVICE}", "ID"),
    "{{json (" + label("app") + ")}}/{{" + label(PROJECT) + "}}": (
        "ContainerLabels.app", f"ContainerLabels.{PROJECT}",
    ),
    "{{json .ContainerLabels}}": tuple(f"ContainerLabels.{key}" for key in LABELS),
    "{{.ContainerLabels.tier}}/{{.ContainerLabels.none}}": ("ContainerLabels.tier",),
    "{{with " + label(SERVICE) + "}}s:{{.}}{{else}}n:{{$.Name}}{{end}}": (f"ContainerLabels.{SERVICE}",),
    "{{with " + label("none") + "}}s:{{.}}{{else}}n:{{$.Name}}{{end}}": ("Name",),
    "{{if eq (" + label("tier") + ') "front"}}F{{else}}B{{end}}-{{.ID}}': ("ContainerLabels.tier", "ID"),
    "{{upper .ID}}-{{title .ImageID}}": ("ID", "ImageID"),
    "{{lower .ImageName}}|{{.Name | upper}}": ("Name",),
    "{{truncate .Name 100}}/{{truncate .FullID 12}}": ("Name",),
    "{{pad .Name 2 3}}|{{printf `%-80s|%q` .ImageName .Hostname}}": ("Name", "ImageName", "Hostname"),
    '{{join (split .ImageName "/") "|"}}': ("ImageName",),
    '{{$id := .ID}}{{range split "a,b" ","}}{{.}}{{$id}};{{end}}{{.Name}}': ("ID", "Name"),
    '{{define "t"}}<{{.Name}}>{{end}}{{template "t" . -}}   {{- .ID}}': ("Name", "ID"),
    "{{/* who */ -}} {{if and .Name (not .ContainerLabels.none)}}{{.Name}}{{end}}": ("Name",),
    "{{(.ExtraAttributes nil).tier}}/{{.ID}}": ("ExtraAttributes.tier", "ID"),
    "{{range .ContainerArgs}}{{.}};{{end}}{{.ID}}": ("ID",),
    "{{.ContainerCreated}}|{{.ID}}": ("ContainerCreated", "ID"),
}  # fmt: skip
# What Docker refuses when a container starts, with these words.
REFUSED = (
    "{{.FullName}}",
    "{{foo}}",
    "{{lower .Name .ID}}",
    "{{slice .Name 0 200}}",
    "{{.Name",
    "{{if}}x{{end}}",
)


def tagged(number: int, template: str) -> str:
    return f"t{number:02d}>{template}"


@pytest.fixture(scope="module")
def server(logdock_module: Launcher) -> Logdock:
    templates = [tagged(number, template) for number, template in enumerate(TEMPLATES)]
    return logdock_module(
        "--store", "memory", *(part for text in templates for part in ("--tag-template", text))
    )


@pytest.fixture(params=["20.10", "26.1"])
def daemon(request: pytest.FixtureRequest) -> Iterator[Dockerd]:
    found: Dockerd = request.getfixturevalue("dockerd20" if request.param == "20.10" else "dockerd26")
    found.start({})
    found.docker("tag", "busybox:1", IMAGE)
    yield found


def options(server: Logdock, driver: str, version: str) -> list[str]:
    if driver == "fluentd":
        given = {"fluentd-address": server.forward}
    elif version == "20.10":
        given = {"gelf-address": f"tcp://{server.gelf_tcp}"}
    else:
        given = {"gelf-address": f"udp://{server.gelf_udp}", "gelf-compression-type": "none"}
    return [part for name, value in given.items() for part in ("--log-opt", f"{name}={value}")]


@pytest.mark.parametrize("driver", ["fluentd", "gelf"])
def test_every_template_is_read_backwards(server: Logdock, daemon: Dockerd, driver: str) -> None:
    flags = [part for key, value in LABELS.items() for part in ("--label", f"{key}={value}")]
    flags += ["--log-driver", driver, *options(server, driver, daemon.version)]
    run = uuid.uuid4().hex[:6]
    ids: dict[str, str] = {}
    for number, template in enumerate(TEMPLATES):
        extra = ["--log-opt", "labels=tier"] if "ExtraAttributes" in template else []
        name = f"shop.web-{run}_{number:02d}"
        tag = ["--log-opt", f"tag={tagged(number, template)}"]
        ids[template] = daemon.run("-d", "--name", name, *flags, *extra, *tag, IMAGE, *COMMAND)
    inspected = json.loads(daemon.docker("inspect", *ids.values()))
    for (template, paths), container in zip(TEMPLATES.items(), inspected, strict=True):
        events = server.find_after(f"/containers/{container['Id']}/logs", 1)
        assert len(events) == 1, template
        assert_told(events[0], template, paths, container)


def assert_told(
    event: dict[str, Any], template: str, paths: tuple[str, ...], container: dict[str, Any]
) -> None:
    number = list(TEMPLATES).index(template)
    info = docker_info(container)
    assert event["tag"] == render(parse(tagged(number, template)), info).decode(), template
    truth = truth_of(container)
    fields = event["tag_fields"]
    assert {path: fields.get(path) for path in paths} == {path: truth[path] for path in paths}, template
    assert {path: value for path, value in fields.items() if truth[path] != value} == {}, template
    assert "tag_ambiguous" not in event["flags"], template
    if f"ContainerLabels.{SERVICE}" in paths:
        assert (event["service"], event["labels"][SERVICE]) == ("api-gateway", "api-gateway")
        assert event["service_source"] == f"tag:{SERVICE}"


def docker_info(container: dict[str, Any]) -> Info:
    """The log info that dockerd makes of a container (daemon/container/container.go, StartLogger)."""
    config = container["Config"]
    return Info(
        config=container["HostConfig"]["LogConfig"]["Config"],
        container_id=container["Id"],
        container_name=container["Name"],
        container_entrypoint=container["Path"],
        container_args=container["Args"],
        container_image_id=container["Image"],
        container_image_name=config["Image"],
        container_created=container["Created"],
        container_env=config["Env"],
        container_labels=config["Labels"],
        hostname=socket.gethostname(),
        cuts_algorithm=False,
    )


def truth_of(container: dict[str, Any]) -> dict[str, str]:
    """What each path of a template stands for, as `docker inspect` has it."""
    name, labels = container["Name"], container["Config"]["Labels"]
    created = render(parse("{{.ContainerCreated}}"), docker_info(container)).decode()
    return {
        "ID": container["Id"][:12], "FullID": container["Id"], "Name": name[1:], "ContainerName": name,
        "ImageName": IMAGE, "ContainerImageName": IMAGE, "ImageFullID": container["Image"],
        "ImageID": container["Image"][:12], "Hostname": socket.gethostname(), "DaemonName": "docker",
        "Command": " ".join(COMMAND), "ContainerCreated": created,
        **{f"ContainerLabels.{key}": value for key, value in labels.items()},
        "ExtraAttributes.tier": labels["tier"],
    }  # fmt: skip


@pytest.mark.parametrize("template", REFUSED)
def test_docker_refuses_a_template_in_our_words(server: Logdock, daemon: Dockerd, template: str) -> None:
    name = f"web-{uuid.uuid4().hex[:8]}"
    flags = ["--log-driver", "fluentd", *options(server, "fluentd", daemon.version)]
    with pytest.raises(DockerError) as docker:
        daemon.run("--name", name, *flags, "--log-opt", f"tag={template}", IMAGE, "true")
    with pytest.raises(TemplateError) as ours:
        render(parse(template), docker_info(daemon.inspect(name)))
    assert ours.value.docker in str(docker.value)
