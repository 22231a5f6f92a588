"""The doctor against real dockerd: what it calls an error is refused, and what it corrects is taken."""

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.doctor import fix
from api.doctor.examine import Examined
from tests.api.doctor.cases import (
    ADDRESSES,
    DRIVERS,
    GOOD,
    KEYS,
    NEW,
    OPTIONS,
    TEXTS,
    Case,
    context,
    file,
    look,
)  # fmt: skip
from tests.real.conftest import Launcher
from tests.real.dockerd import Dockerd
from tests.real.rawdockerd import Containers, raw_dockerd, validate
from tests.real.server import Logdock

pytestmark = pytest.mark.docker

VERSIONS = ("20.10", "26.1")
ENGINES = {"20.10": "20.10.24", "26.1": "26.1.5"}
# names that only the network knows: what happens then depends on it
_BEYOND = ("example.com", "docker.internal")
_NOT_HERE = ("unix://", "tls://", "[::1]")  # where the server under test does not listen


@pytest.fixture(scope="module")
def server(logdock_module: Launcher) -> Logdock:
    return logdock_module("--store", "memory")


@pytest.fixture(params=VERSIONS)
def engine(request: pytest.FixtureRequest) -> str:
    """A version whose dockerd is there."""
    request.getfixturevalue("dockerd20" if request.param == "20.10" else "dockerd26")
    return str(request.param)


@pytest.fixture
def containers(engine: str, request: pytest.FixtureRequest) -> Iterator[Containers]:
    """Containers of a running daemon whose daemon.json says nothing."""
    daemon: Dockerd = request.getfixturevalue("dockerd20" if engine == "20.10" else "dockerd26")
    daemon.start({})
    socket = daemon.environ["DOCKER_HOST"].removeprefix("unix://")
    with httpx.Client(transport=httpx.HTTPTransport(uds=socket), base_url="http://docker", timeout=60) as api:
        yield Containers(api)


def here(text: str, server: Logdock) -> str:
    """The file with the addresses of the running server in place of the usual ones."""
    text = text.replace("udp://127.0.0.1:12201", f"udp://{server.gelf_udp}")
    for host in ("127.0.0.1", "localhost"):
        text = text.replace(f"tcp://{host}:12201", f"tcp://{server.gelf_tcp}")
    return text.replace("127.0.0.1:24224", server.forward).replace("localhost:24224", server.forward)


def verdict(examined: Examined) -> str:
    effects = [finding.effect for finding in examined.findings if finding.severity == "error"]
    if any(effect.startswith("dockerd does not start") for effect in effects):
        return "refused"
    return "unstarted" if any("none starts" in effect for effect in effects) else "ran"


def option_cases() -> list[Case]:
    """The cases that are about options which can be given to one container."""
    return [
        case
        for case in [*OPTIONS, *ADDRESSES]
        if case.code != "opt-not-string" and not any(name in case.bad for name in _BEYOND)
    ]


def split(text: str) -> tuple[str, dict[str, str]]:
    made = json.loads(text)
    return made["log-driver"], made.get("log-opts", {})


def test_dockerd_agrees_about_every_option(engine: str, containers: Containers, server: Logdock) -> None:
    """Refused, or not started, or run: for each case what the doctor says is what happens."""
    wrong = []
    for case in option_cases():
        bad = here(case.bad, server)
        wanted = "unstarted" if case.code == "address-docker-dns" else verdict(look(bad, ENGINES[engine]))
        fate, said = containers.fate(*split(bad))
        if "connection refused" in said or "EOF" in said:  # dialled: nobody is at the usual ports, or no TLS
            fate = "ran"
        mine = case.said if ENGINES[engine].startswith(case.version.removesuffix(".24")) else ""
        if case.code == "address-docker-dns":
            mine = "lookup logdock"
        if fate != wanted or (fate != "ran" and mine not in said):
            wrong.append((case.code, split(bad)[1], wanted, fate, said))
    assert not wrong, "\n".join(map(str, wrong))


def corrected(engine: str) -> set[str]:
    """The corrected files whose target is there; for 20.10 those that 26.1's are not."""
    cases = [*option_cases(), *DRIVERS, *TEXTS, *KEYS]
    texts = {fix.correct(look(case.bad, ENGINES[engine]), context(ENGINES[engine])).text for case in cases}
    found = {text for text in texts if text is not None and not any(name in text for name in _NOT_HERE)}
    return found - corrected("26.1") if engine == "20.10" else found


def test_containers_under_every_corrected_file_log(
    engine: str, containers: Containers, server: Logdock
) -> None:
    """Each different corrected set-up: dockerd takes it, and its container's line is found."""
    sent: dict[str, dict[str, str]] = {}
    for text in sorted(corrected(engine)):
        driver, options = split(here(text, server))
        if driver == "fluentd" and options.get("fluentd-address", "") in ("", "127.0.0.1:"):
            options["fluentd-address"] = server.forward  # on Docker's default port nobody listens here
        identity = containers.run(driver, options, f"echo line of {len(sent)}; sleep 0.05")
        sent[identity] = options
        containers.remove(identity)
    for number, (identity, options) in enumerate(sent.items()):
        events = server.find_after(f"/containers/{identity}/logs", 1)
        assert [event["message"] for event in events] == [f"line of {number}"], options
    assert engine == "20.10" or len(sent) > 40


def refusals(engine: str) -> list[Case]:
    """Files that are refused as files, before any log driver is looked at."""
    cases = [*TEXTS, *KEYS, *(case for case in OPTIONS if case.code == "opt-not-string")]
    return [case for case in cases if verdict(look(case.bad, ENGINES[engine])) == "refused"]


def test_dockerd_refuses_every_file_that_the_doctor_says_it_refuses(engine: str) -> None:
    wrong = []
    for case in refusals(engine):
        with raw_dockerd(engine, case.bad) as daemon:
            mine = case.said if ENGINES[engine].startswith(case.version.removesuffix(".24")) else ""
            if daemon.refusal is None or mine not in daemon.refusal:
                wrong.append((case.code, case.bad, daemon.refusal))
    assert not wrong, "\n".join(map(str, wrong))
    assert len(refusals(engine)) > 25


def test_the_new_dockerd_takes_every_file_that_the_doctor_does_not_refuse(dockerd26: Dockerd) -> None:
    """dockerd --validate: the files before and after."""
    assert dockerd26
    bad = {case.bad for case in [*TEXTS, *KEYS, *OPTIONS]}
    taken = {text for text in bad if verdict(look(text, "26.1.5")) != "refused"}
    for text in sorted(taken | corrected("26.1")):
        assert validate(text) is None, text


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("", {"20.10": False, "26.1": True}),
        ("\ufeff" + GOOD, {"20.10": False, "26.1": True}),
        (GOOD + "// the end\n", {"20.10": True, "26.1": False}),
        (GOOD + '{"debug": true}', {"20.10": True, "26.1": False}),
    ],
    ids=["empty", "byte-order-mark", "comment-behind", "object-behind"],
)
def test_what_one_engine_takes_and_the_other_does_not(engine: str, text: str, takes: dict[str, bool]) -> None:
    assert verdict(look(text.encode(), ENGINES[engine])) == ("ran" if takes[engine] else "refused")
    with raw_dockerd(engine, text) as daemon:
        assert (daemon.refusal is None) == takes[engine]


def test_keys_that_are_refused_are_those_of_the_table(engine: str) -> None:
    """All keys that any version knows, with null: the doctor and dockerd name the same ones."""
    from api.doctor import keys

    names = {*keys.KEYS, *keys.FLAG_NAMES, *keys.ONLY_FLAGS, "nonsense"}
    names -= {"proxies"}  # taken apart: its own name is none when it holds nothing
    text = json.dumps(dict.fromkeys(sorted(names)))
    with raw_dockerd(engine, text) as daemon:
        assert daemon.refusal is not None
        said = re.search(r"match any configuration option: ([a-z0-9, -]+)", daemon.refusal)
    assert said is not None
    found = look(text, ENGINES[engine]).findings
    mine = {f.path[0] for f in found if f.code in ("key-unknown", "key-version")}
    assert set(said[1].split(", ")) == mine


def test_options_of_another_driver_stop_dockerd(engine: str) -> None:
    for case in DRIVERS:
        if case.docker == "refused":
            assert verdict(look(case.bad, ENGINES[engine])) == "refused"
            with raw_dockerd(engine, case.bad) as daemon:
                assert daemon.refusal is not None and case.said in daemon.refusal


@pytest.mark.soak
def test_unknown_drivers_and_gelf_without_its_address(dockerd20: Dockerd, dockerd26: Dockerd) -> None:
    """Without options dockerd starts and refuses every container; with options it does not start. Either way
    it searches for a plugin first, for 16 seconds: all at once."""
    assert dockerd20 and dockerd26
    said: dict[tuple[str, str], str] = {}

    def ask(engine: str, text: str) -> None:
        with raw_dockerd(engine, text) as daemon:
            if daemon.refusal is None:
                daemon.image()
                said[engine, text] = Containers(daemon.api).create(None, {}).json()["message"]
            else:
                said[engine, text] = f"refused: {daemon.refusal}"

    bare, given = file("fluent"), file("fluent", {"tag": "x"})
    asking = [
        threading.Thread(target=ask, args=(engine, text))
        for engine in VERSIONS
        for text in (bare, given, file("gelf"))
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    for engine in VERSIONS:
        assert said[engine, file("gelf")] == "gelf-address is a required parameter"
        assert 'plugin "fluent" not found' in said[engine, bare] and "refused" not in said[engine, bare]
        assert said[engine, given].startswith("refused: ")
        assert 'plugin "fluent" not found' in said[engine, given]


def test_keys_that_are_taken_and_ignored(engine: str) -> None:
    """Also two log-opts: dockerd merges them."""
    text = (
        '{"label": ["a=b"], "log-opt": {"log-driver": "gelf"}, "logs": {"log-driver": "gelf"},\n'
        '"log-driver": "gelf", "log-driver": "json-file",\n'
        '"log-opts": {"max-size": "1m", "tag": "lost"}, "log-opts": {"max-file": "2", "tag": "kept"}}'
    )
    codes = [finding.code for finding in look(text, ENGINES[engine]).findings]
    assert codes.count("key-ignored") == 3 and codes.count("json-duplicate-key") == 2
    with raw_dockerd(engine, text) as daemon:
        assert daemon.refusal is None
        info = daemon.api.get("/info").json()
        assert (info["Labels"], info["LoggingDriver"]) == ([], "json-file")
        daemon.image()
        made = Containers(daemon.api).create(None, {}).json()["Id"]
        config = daemon.api.get(f"/containers/{made}/json").json()["HostConfig"]["LogConfig"]
    assert config == {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2", "tag": "kept"}}
    corrected = json.loads(fix.correct(look(text, ENGINES[engine]), context(ENGINES[engine])).text or "")
    assert corrected["log-opts"]["tag"] == "kept" and corrected["labels"] == ["a=b"]


def test_the_file_made_of_nothing_logs(engine: str, server: Logdock) -> None:
    """`{}` corrected: dockerd starts with it, and a container without options of its own is found."""
    examined = look("{}", ENGINES[engine])
    text = fix.correct(examined, context(ENGINES[engine])).text
    assert text == NEW.rstrip("\n")
    with raw_dockerd(engine, here(text, server)) as daemon:
        assert daemon.refusal is None
        daemon.image()
        labels = {"com.docker.compose.service": "made", "other": "x"}
        identity = Containers(daemon.api).run(None, {}, "echo hello", Labels=labels)
    [event] = server.find_after(f"/containers/{identity}/logs", 1)
    assert (event["message"], event["service"]) == ("hello", "made")
    assert event["labels"] == {"com.docker.compose.service": "made"}
    assert not event["timestamp"].endswith(":00Z") and "." in event["timestamp"]


def test_what_options_do_to_a_line(containers: Containers, server: Logdock) -> None:
    """Blanks in a list, labels that replace the line, variables that travel, whole seconds."""
    base = {"fluentd-address": server.forward}
    more: dict[str, Any] = {
        "Labels": {"a": "1", "b": "2", "log": "not the line"},
        "Env": ["DB_PASSWORD=hunter2"],
    }

    def sent(options: dict[str, str]) -> dict[str, Any]:
        identity = containers.run("fluentd", {**base, **options}, "echo the line", **more)
        containers.remove(identity)
        events = server.find_after(f"/containers/{identity}/logs", 1)
        assert events, f"{options}: no line\n{server.tail()}"
        return events[0]

    assert sent({"labels": "a, b"})["labels"] == {"a": "1"}
    assert sent({"labels": "a,log"})["message"] == "not the line"
    assert sent({"env-regex": ".*"})["labels"]["DB_PASSWORD"] == "hunter2"
    assert re.fullmatch(r"[^.]*(\.0+)?Z", sent({})["timestamp"])
    assert re.search(r"\.\d*[1-9]\d*Z", sent({"fluentd-sub-second-precision": "true"})["timestamp"])


def test_docker_logs_without_the_cache(containers: Containers, server: Logdock) -> None:
    identity = containers.run(
        "fluentd", {"fluentd-address": server.forward, "cache-disabled": "true"}, "echo hi"
    )
    answer = containers.api.get(f"/containers/{identity}/logs", params={"stdout": "true"})
    containers.remove(identity)
    assert "does not support reading" in answer.text


def test_a_queue_of_100g_ends_dockerd(engine: str) -> None:
    """fluentd-buffer-limit counts messages: the daemon asks for 8 bytes each, and dies."""
    if Path("/proc/sys/vm/overcommit_memory").read_text().strip() == "1":
        pytest.skip("this kernel promises any amount of memory")
    options = {"fluentd-async": "true", "fluentd-buffer-limit": "100g"}
    assert "buffer-limit-count" in [f.code for f in look(file("fluentd", options), ENGINES[engine]).findings]
    with raw_dockerd(engine, "{}") as daemon:
        daemon.image()
        containers = Containers(daemon.api)
        identity = containers.create("fluentd", options).json()["Id"]
        with pytest.raises(httpx.HTTPError):
            containers.start(identity)
        daemon.process.wait(30)
        assert "out of memory" in daemon.log.read_text(errors="replace")


def test_a_receiver_that_logs_to_itself(dockerd26: Dockerd, tmp_path: Path) -> None:
    """On the host's network it does not start; behind a published port it does, and reads its own lines."""
    dockerd26.start({})
    address = f"127.0.0.1:{free_port()}"
    port = address.rpartition(":")[2]
    service = {
        "image": "busybox:1",
        "command": [
            "sh",
            "-c",
            f"nc -l -p {port} > /tmp/out & sleep 0.5; echo mine; sleep 1; wc -c < /tmp/out; sleep 9",
        ],
        "logging": {"driver": "fluentd", "options": {"fluentd-address": address}},
    }
    published = {"services": {"receiver": {**service, "ports": [f"127.0.0.1:{port}:{port}"]}}}
    hosted = {"services": {"receiver": {**service, "network_mode": "host"}}}
    compose = ("compose", "--project-name", "self", "--project-directory", str(tmp_path))
    (tmp_path / "compose.yaml").write_text(json.dumps(hosted))
    with pytest.raises(Exception, match="connection refused"):
        dockerd26.docker(*compose, "up", "--detach")
    dockerd26.docker(*compose, "down", "--timeout", "0")
    (tmp_path / "compose.yaml").write_text(json.dumps(published))
    found = look_compose(published)
    assert "receiver-logs-to-itself" in found
    dockerd26.docker(*compose, "up", "--detach")
    time.sleep(2)
    printed = dockerd26.docker("logs", "self-receiver-1").split()
    dockerd26.docker(*compose, "down", "--timeout", "0")
    assert printed[0] == "mine" and int(printed[1]) > 100


def look_compose(written: dict[str, Any]) -> list[str]:
    from api.doctor import compose
    from api.doctor.examine import examine_compose

    loaded = compose.load(json.dumps(written))
    examined = look("{}", "26.1.5", loaded)
    return [f.code for f in examine_compose(examined, context("26.1.5", loaded), "compose.yaml")]


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_compose_refuses_what_the_doctor_says(dockerd26: Dockerd, tmp_path: Path) -> None:
    """`docker compose config` on each kind of value that the doctor calls refused, and on what it takes."""
    cases: dict[str, bool] = {
        "driver: fluentd\n      options: {fluentd-async: true}": False,
        "driver: fluentd\n      options: [a=b]": False,
        "driver: 5": False,
        "driver: fluentd\n      option: {a: b}": False,
        "driver: fluentd\n      options: {a: {b: c}}": False,
        "driver: fluentd\n      options: {fluentd-max-retries: 3, env: yes, tag: null}": True,
        "options: {fluentd-async: 'true'}": True,
    }
    for logging, takes in cases.items():
        text = f"services:\n  web:\n    image: busybox:1\n    logging:\n      {logging}\n"
        (tmp_path / "compose.yaml").write_text(text)
        try:
            dockerd26.docker("compose", "--project-directory", str(tmp_path), "config", "--quiet")
            taken = True
        except Exception:
            taken = False
        assert taken is takes, text
        assert ("compose-value" not in look_compose_text(text)) is takes, text


def look_compose_text(text: str) -> list[str]:
    from api.doctor import compose
    from api.doctor.examine import examine_compose

    loaded = compose.load(text)
    return [f.code for f in examine_compose(look("{}", "26.1.5", loaded), context("26.1.5", loaded), "c")]
