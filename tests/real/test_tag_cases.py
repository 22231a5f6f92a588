"""Real dockerd makes tags of many templates: what logdock reads out of them is what `docker inspect` says.

One server knows all templates. Docker 20.10 sends through fluentd and GELF over UDP, 26.1 through fluentd and
GELF over TCP.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from parsers.go.info import Info
from parsers.gotemplate import TemplateError, parse, render
from parsers.tag import TagTemplate
from tests.real.conftest import Launcher
from tests.real.dockerd import Dockerd, DockerError
from tests.real.registry import registry
from tests.real.server import Logdock
from tests.real.tag_cases import (
    APP,
    BY_FULL_ID,
    BY_ID,
    CASES,
    DASHED,
    DIGEST,
    FOR_A_DAEMON,
    LABELS,
    NAMES,
    NEWER,
    ODD,
    REFUSED,
    REFUSED_HERE,
    SERVICE,
    SWARM,
    Case,
)  # fmt: skip

# the long form of test_tags.py, for make soak
pytestmark = [pytest.mark.docker, pytest.mark.soak]

# Docker's own work on a container is done in many processes; more at once than this are not quicker.
AT_ONCE = 4
# A container that ends while it is still being started has lost its line in dockerd, now and then.
ALIVE = 0.3  # seconds

BATCHES = (("20.10", "fluentd"), ("20.10", "gelf-udp"), ("26.1", "fluentd"), ("26.1", "gelf-tcp"))


@dataclass(frozen=True)
class Batch:
    """The containers of all cases on one daemon, by a case's key, and the events of each."""

    version: str
    driver: str  # as Docker calls it
    host: str
    containers: Mapping[str, dict[str, Any]]  # docker inspect
    events: Mapping[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def server(logdock_module: Launcher) -> Logdock:
    texts = dict.fromkeys(case.template for case in (*CASES, NEWER))
    return logdock_module(*(part for text in texts for part in ("--tag-template", text)))


def dockerd(request: pytest.FixtureRequest, version: str) -> Dockerd:
    daemon: Dockerd = request.getfixturevalue("dockerd20" if version == "20.10" else "dockerd26")
    return daemon


def plain(request: pytest.FixtureRequest, version: str) -> Dockerd:
    """A daemon whose daemon.json says nothing."""
    daemon = dockerd(request, version)
    daemon.start({})
    return daemon


@pytest.fixture(scope="module", params=BATCHES, ids="-".join)
def batch(request: pytest.FixtureRequest, server: Logdock) -> Batch:
    version, driver = request.param
    daemon = plain(request, version)
    images = tagged(daemon)
    word = f"batch{uuid.uuid4().hex[:8]}"

    def start(number: int) -> str:
        flags = ["--name", name_of(CASES[number], number), *logging(server, driver), "--log-opt"]
        return run(daemon, CASES[number], images, [*flags, f"tag={CASES[number].template}"], word)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ids = list(pool.map(start, range(len(CASES))))
    containers = inspected(daemon, ids)
    events: dict[str, list[dict[str, Any]]] = {identity: [] for identity in ids}
    for event in server.find_after("/logs", len(CASES), q=f'"{word}"'):
        events[event["container"]["id"]].append(event)
    daemon.docker("rm", "--force", *ids)
    keys = [case.key for case in CASES]
    return Batch(
        version, driver.partition("-")[0], host_of(daemon), dict(zip(keys, containers, strict=True)),
        {key: events[identity] for key, identity in zip(keys, ids, strict=True)},
    )  # fmt: skip


def tagged(daemon: Dockerd) -> dict[str, str]:
    """The images that have no name of their own, by what the cases call them."""
    for name in (APP, DASHED, ODD):
        daemon.docker("tag", "busybox:1", name)
    image = daemon.docker("image", "inspect", "--format", "{{.Id}}", "busybox:1").strip()
    with registry("team/app", daemon.docker("version", "--format", "{{.Server.Arch}}").strip()) as reference:
        pulled = reference.replace("@", ":1.2@")
        daemon.docker("pull", pulled)
    return {BY_ID: image.partition(":")[2][:12], BY_FULL_ID: image, DIGEST: pulled}


def name_of(case: Case, number: int) -> str:
    return case.name or NAMES[number % len(NAMES)].format(number)


def logging(server: Logdock, driver: str) -> list[str]:
    address = {
        "fluentd": f"fluentd-address={server.forward}",
        "gelf-udp": f"gelf-address=udp://{server.gelf_udp}",
        "gelf-tcp": f"gelf-address=tcp://{server.gelf_tcp}",
    }[driver]
    return ["--log-driver", driver.partition("-")[0], "--log-opt", address]


def run(daemon: Dockerd, case: Case, images: Mapping[str, str], flags: list[str], word: str) -> str:
    """The id of a container that prints the word."""
    labels = [part for key, value in case.labels.items() for part in ("--label", f"{key}={value}")]
    shell = ["sh", "-c", f"echo {word}; sleep {ALIVE}", *case.arguments]
    image = images.get(case.image, case.image)
    return daemon.docker(
        "run", "-d", "--network", "none", *labels, *flags, *case.options, image, *shell
    ).strip()


def inspected(daemon: Dockerd, ids: list[str]) -> list[dict[str, Any]]:
    """The containers, after their end."""
    daemon.docker("wait", *ids)
    found: list[dict[str, Any]] = json.loads(daemon.docker("inspect", *ids))
    return found


def host_of(daemon: Dockerd) -> str:
    return daemon.docker("info", "--format", "{{.Name}}").strip()


def info_of(container: Mapping[str, Any], host: str) -> Info:
    """What dockerd makes the tag of (moby container/container.go, StartLogger)."""
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
        hostname=host,
        cuts_algorithm=False,
    )


def truth_of(container: Mapping[str, Any], host: str) -> dict[str, str]:
    """What each path of a template stands for."""
    config, identity, image = container["Config"], container["Id"], container["Image"]
    options, command = container["HostConfig"]["LogConfig"]["Config"], [container["Path"], *container["Args"]]
    variables = dict(text.split("=", 1) for text in config["Env"])
    return {
        "ID": identity[:12], "FullID": identity, "ContainerID": identity,
        "Name": container["Name"][1:], "ContainerName": container["Name"],
        "ImageName": config["Image"], "ContainerImageName": config["Image"],
        "ImageID": image[:12], "ImageFullID": image, "ContainerImageID": image,
        "Hostname": host, "DaemonName": "docker", "LogPath": "",
        "Command": " ".join(command), "ContainerEntrypoint": command[0],
        "ContainerArgs": as_json(command[1:]), "ContainerEnv": as_json(config["Env"]),
        "ContainerCreated": container["Created"].replace("T", " ").replace("Z", " +0000 UTC"),
        **{f"Config.{key}": text for key, text in options.items()},
        **{LABELS + key: text for key, text in config["Labels"].items()},
        **{f"ExtraAttributes.{key}": text for key, text in {**config["Labels"], **variables}.items()},
    }  # fmt: skip


def as_json(texts: list[str]) -> str:
    return json.dumps(texts, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_docker_prints_what_our_renderer_prints(batch: Batch, case: Case) -> None:
    (event,) = batch.events[case.key]
    expected = render(parse(case.template), info_of(batch.containers[case.key], batch.host))
    assert event["tag"] == expected.decode("utf-8", "replace")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_an_event_says_what_docker_inspect_says(batch: Batch, case: Case) -> None:
    (event,) = batch.events[case.key]
    assert_told(event, case, batch.driver, truth_of(batch.containers[case.key], batch.host))


def assert_told(event: dict[str, Any], case: Case, driver: str, truth: Mapping[str, str]) -> None:
    only = {"fluentd": case.fluentd, "gelf": case.gelf}[driver]
    told = {path: truth[path] for path in (*case.tells.split(), *only.split())}
    assert event["tag_fields"] == told
    assert event["flags"] == (["tag_ambiguous"] if driver in case.ambiguous else [])
    image = truth["ImageName"] if driver == "gelf" or "ImageName" in told else None
    assert event["container"] == {"id": truth["FullID"], "name": truth["Name"], "image": image}
    assert event["host"] == truth["Hostname"]
    labels = [path for path in told if path.startswith((LABELS, "ExtraAttributes."))]
    assert event["labels"] == {path.partition(".")[2]: told[path] for path in labels}
    source = event["service_source"] or ""
    if case.service is None:
        assert not source.startswith("tag:")
    else:
        key = SWARM if LABELS + SWARM in told else SERVICE
        assert (event["service"], source) == (case.service, f"tag:{key}")


@pytest.mark.parametrize(
    ("version", "driver", "case"),
    [("20.10", "gelf-udp", FOR_A_DAEMON[0]), ("26.1", "fluentd", FOR_A_DAEMON[1])],
    ids=["20.10-gelf", "26.1-fluentd"],
)
def test_a_daemon_json_tells_both_the_template(
    request: pytest.FixtureRequest, logdock: Launcher, tmp_path: Path, version: str, driver: str, case: Case
) -> None:
    file, kind = tmp_path / "daemon.json", driver.partition("-")[0]
    file.write_text(json.dumps({"log-driver": kind, "log-opts": {"tag": case.template}}))
    server = logdock("--daemon-json", str(file))
    option, _, address = logging(server, driver)[-1].partition("=")
    daemon = dockerd(request, version)
    daemon.start({"log-driver": kind, "log-opts": {"tag": case.template, option: address}})
    daemon.docker("tag", "busybox:1", APP)
    (container,) = inspected(daemon, [run(daemon, case, {}, ["--name", "shop-web-1"], "hi")])
    (event,) = server.find_after("/logs", 1, container=container["Id"])
    assert_told(event, case, kind, truth_of(container, host_of(daemon)))


@pytest.fixture(scope="module", params=("20.10", "26.1"))
def refusing(request: pytest.FixtureRequest, server: Logdock) -> Callable[[str], tuple[str, Info]]:
    """refusing(template) -> what Docker says when it does not start a container, and that container."""
    daemon = plain(request, request.param)

    def refusing(template: str) -> tuple[str, Info]:
        name = f"shop.web-{uuid.uuid4().hex[:8]}"
        flags = ["--name", name, *logging(server, "fluentd"), "--log-opt", f"tag={template}"]
        with pytest.raises(DockerError) as refused:
            run(daemon, Case("", template, "", image="busybox:1"), {}, flags, "never")
        info = info_of(daemon.inspect(name), host_of(daemon))
        daemon.docker("rm", name)
        return str(refused.value), info

    return refusing


@pytest.mark.parametrize("template", (*REFUSED, *REFUSED_HERE))
def test_docker_refuses_a_template_in_our_words(
    refusing: Callable[[str], tuple[str, Info]], template: str
) -> None:
    docker, info = refusing(template)
    with pytest.raises(TemplateError) as ours:
        render(parse(template), info)
    assert ours.value.docker in docker
    if template in REFUSED:
        with pytest.raises(TemplateError) as before:
            TagTemplate.compile(template)
        assert before.value.docker in docker


def test_newer_syntax_is_read_where_docker_takes_it(request: pytest.FixtureRequest, server: Logdock) -> None:
    flags = [*logging(server, "fluentd"), "--log-opt", f"tag={NEWER.template}"]
    old, new = plain(request, "20.10"), plain(request, "26.1")
    with pytest.raises(DockerError, match="template: log-tag:1: unexpected <with> in else"):
        run(old, Case("", "", "", image="busybox:1"), {}, flags, "never")
    new.docker("tag", "busybox:1", APP)
    (container,) = inspected(new, [run(new, NEWER, {}, flags, "hi")])
    (event,) = server.find_after("/logs", 1, container=container["Id"])
    assert_told(event, NEWER, "fluentd", truth_of(container, host_of(new)))
