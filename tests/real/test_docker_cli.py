"""The real docker clients ask logdock for the logs of containers that are gone.

What they print is compared with what the same commands printed while the containers were there: through
Docker's cache of the very same lines (same times), and from a twin that logged to a json-file.
"""

import random
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.real.conftest import Launcher
from tests.real.dockercli import CLIENTS, docker, follower
from tests.real.dockerd import Dockerd
from tests.real.server import Logdock, until

pytestmark = pytest.mark.docker

TEMPLATE = "docker/{{.Name}}/{{.ImageName}}/{{.ID}}"
RUN = f"cli{random.randrange(1 << 32):08x}"  # one Elasticsearch may have seen earlier runs
LABELS = {"com.docker.compose.service": "odd", "run": RUN, "odd/é": "c&d e=f"}
PAUSE = "sleep 0.02"  # so that two streams keep their order
ODD = rf"""printf 'plain\n'; {PAUSE}; printf 'err one\n' >&2; {PAUSE}; printf '\n'; printf 'cr\r\n'
printf 'a\rb\rc\n'; printf '\033[31mred\033[0m\n'; printf '{{"a": 1}}\n'; printf ' \t indented \n'; {PAUSE}
printf '\344\275\240\345\245\275\n' >&2; for i in 1 2 3 4 5; do {PAUSE}; echo "line $i"; done; {PAUSE}
printf 'no newline at the end'"""
LONG = rf"""x() {{ head -c $1 /dev/zero | tr '\0' x; }}; x 16383; echo; x 16384; echo; x 16385; echo; {PAUSE}
(x 40000; echo) >&2; {PAUSE}; x 32768; echo; x 300000; echo; {PAUSE}; x 20000"""
LONG_OVER_GELF = rf"""x() {{ head -c $1 /dev/zero | tr '\0' $2; }}; x 16383 a; echo; {PAUSE}; x 16384 b; echo
{PAUSE}; x 50000 c; echo; {PAUSE}; (x 40000 d; echo) >&2; {PAUSE}; x 32768 e; echo; {PAUSE}; echo end"""
BAD = rf"printf 'bad \377\376 bytes\n'; {PAUSE}; echo after"

WITHOUT_TIMES = [[], ["--tail", "3"], ["-n", "0"], ["--tail", "all"], ["--tail", "-1"], ["--tail", "x"]]
FORMS = [
    ["-t"], ["-n", "4", "-t"], ["--since", "MIDDLE"], ["--until", "MIDDLE"], ["-t", "--since", "MIDDLE"],
    ["-t", "--since", "MIDDLE", "--until", "MIDDLE"], ["--since", "MIDDLE", "-n", "2"],
    ["--until", "MIDDLE", "-n", "4"], ["--since", "1h"], ["--until", "1h"], ["--since", "1h30m", "-n", "1"],
    ["--since", "2020-01-01"], ["--until", "2020-01-01T10"], ["--since", "2020-01-01T10:00:00.5+09:00"],
    ["--since", "UNIX"], ["--until", "UNIX"], ["--since", "UNIX.000000001"], ["--since", "0"],
]  # fmt: skip

Printed = tuple[bytes, bytes, int]


@dataclass
class Site:
    """A server, a daemon that logs to it, and what its docker printed before the containers were removed."""

    server: Logdock
    daemon: Dockerd
    said: dict[tuple[str, ...], Printed] = field(default_factory=dict)
    middle: str = ""

    @property
    def host(self) -> str:
        return f"tcp://{self.server.http}"

    def real(self, *args: str) -> Printed:
        return docker(self.daemon.version, self.daemon.environ["DOCKER_HOST"], *args)

    def run(self, name: str, script: str, *options: str) -> None:
        labels = [f"--label={key}={value}" for key, value in LABELS.items()]
        made = self.daemon.docker(
            "run", "-d", "--network", "none", "--name", name, *labels, *options, "bb:1", "sh", "-c", script
        )
        self.daemon.docker("wait", made.strip())

    def pair(self, name: str, script: str) -> None:
        """The same script twice: to logdock through Docker's fluentd driver, and into a json-file."""
        common = ["--log-opt=labels=com.docker.compose.service,run,odd/é", f"--log-opt=tag={TEMPLATE}"]
        to = f"--log-opt=fluentd-address={self.server.forward}"
        subsecond = "--log-opt=fluentd-sub-second-precision=true"
        self.run(name, script, "--log-driver=fluentd", to, subsecond, *common)
        self.run(f"{name}-twin", script, "--log-driver=json-file", *common)

    def remember(self, name: str, *args: str) -> None:
        self.said[(name, *args)] = self.real("logs", *self.meant(args), name)

    def meant(self, args: tuple[str, ...]) -> list[str]:
        """The arguments with the moments that are known only now."""
        seconds = str(int(time.mktime(time.strptime(self.middle[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone))
        return [arg.replace("MIDDLE", self.middle).replace("UNIX", seconds) for arg in args]

    def gone(self, *names: str) -> None:
        self.daemon.docker("rm", "-f", *names)

    def find(self, name: str, count: int) -> None:
        found = self.server.find_after(f"/containers/{name}/logs", count)
        assert len(found) == count


@pytest.fixture(scope="module", params=["local-20.10", "elasticsearch-26.1"])
def site(request: pytest.FixtureRequest, logdock_module: Launcher) -> Iterator[Site]:
    if request.param == "local-20.10":
        daemon, store = request.getfixturevalue("dockerd20"), "local"
    else:
        daemon, store = request.getfixturevalue("dockerd26"), request.getfixturevalue("elasticsearch")
    request.getfixturevalue("dockerd26")  # its client is unpacked with it
    daemon.start({})  # others leave log options: asynchronous, a container's last words may get lost
    daemon.lab("image", "bb:1")
    made = Site(logdock_module("--store", store, "--tag-template", TEMPLATE), daemon)
    fill(made)
    yield made
    made.server.stop()


def fill(site: Site) -> None:
    """Containers of every kind, what docker says of them, and their end."""
    for name, script in ((f"{RUN}-odd", ODD), (f"{RUN}-long", LONG), (f"{RUN}-bad", BAD)):
        site.pair(name, script)
    gelf = [f"--log-opt=gelf-address=tcp://{site.server.gelf_tcp}", "--log-opt=labels=run"]
    site.run(f"{RUN}-gelf", ODD, "--log-driver=gelf", *gelf)
    site.run(f"{RUN}-gelf-long", LONG_OVER_GELF, "--log-driver=gelf", *gelf)
    timed = site.real("logs", "-t", f"{RUN}-odd")[0]
    site.middle = re.findall(rb"(\S+) line 3\n", timed)[0].decode()
    for args in WITHOUT_TIMES + FORMS:
        site.remember(f"{RUN}-odd", *args)
        site.remember(f"{RUN}-odd-twin", *args)
    for args in [[], ["-t"], ["-n", "2"], ["--details"], ["-n", "4", "--details"]]:
        for name in ("odd-twin", "long-twin", "bad", "bad-twin", "gelf"):
            site.remember(f"{RUN}-{name}", *args)
    site.gone(*(f"{RUN}-{name}{end}" for name in ("odd", "long", "bad") for end in ("", "-twin")))
    site.remember(f"{RUN}-gelf-long")
    site.gone(f"{RUN}-gelf", f"{RUN}-gelf-long")
    for name, count in (("odd", 15), ("long", 7), ("bad", 2), ("gelf", 14), ("gelf-long", 12)):
        site.find(f"{RUN}-{name}", count)


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("args", WITHOUT_TIMES + FORMS, ids=" ".join)
def test_the_same_bytes_as_while_it_lived(site: Site, client: str, args: list[str]) -> None:
    ours = docker(client, site.host, "logs", *site.meant(tuple(args)), f"{RUN}-odd")
    assert ours == site.said[(f"{RUN}-odd", *args)]
    assert ours[2] == 0
    if args in WITHOUT_TIMES:
        assert ours == site.said[(f"{RUN}-odd-twin", *args)]


@pytest.mark.parametrize("args", [[], ["-n", "2"]], ids=" ".join)
def test_long_lines_and_their_pieces(site: Site, client: str, args: list[str]) -> None:
    """Compared with the twin: the cache of 20.10 forgets the newline of a long line."""
    ours = docker(client, site.host, "logs", *args, f"{RUN}-long")
    assert ours == site.said[(f"{RUN}-long-twin", *args)]
    assert len(ours[0]) >= 20_000


def test_times_stand_before_every_piece(site: Site, client: str) -> None:
    stamp = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z "
    ours = docker(client, site.host, "logs", "-t", f"{RUN}-long")
    theirs = site.said[f"{RUN}-long-twin", "-t"]
    for own, other in zip(ours[:2], theirs[:2], strict=True):
        assert re.sub(stamp, b"T ", own) == re.sub(stamp, b"T ", other)


def test_bytes_that_are_no_text(site: Site, client: str) -> None:
    """A json-file cannot hold them, the cache and logdock can."""
    ours = docker(client, site.host, "logs", "-t", f"{RUN}-bad")
    assert ours == site.said[f"{RUN}-bad", "-t"]
    replaced = ours[0].replace(b"\xff", "\ufffd".encode()).replace(b"\xfe", "\ufffd".encode())
    twin = site.said[f"{RUN}-bad-twin", "-t"][0]
    assert [line.split(b" ", 1)[1] for line in replaced.splitlines()] == [
        line.split(b" ", 1)[1] for line in twin.splitlines()
    ]


@pytest.mark.parametrize("args", [["--details"], ["-n", "4", "--details"]], ids=" ".join)
def test_details_are_those_of_a_json_file(site: Site, client: str, args: list[str]) -> None:
    ours = docker(client, site.host, "logs", *args, f"{RUN}-odd")
    theirs = site.said[(f"{RUN}-odd-twin", *args)]

    def unnamed(printed: bytes) -> bytes:
        return re.sub(rb"tag=docker%2F[^%]+%2Fbb%3A1%2F[0-9a-f]{12}", b"tag=x", printed)

    assert b"odd%2F%C3%A9=c%26d+e%3Df" in ours[0]
    assert [unnamed(part) for part in ours[:2]] == [unnamed(part) for part in theirs[:2]]


def test_gelf_has_no_empty_lines_and_milliseconds(site: Site, client: str) -> None:
    ours = docker(client, site.host, "logs", "-t", f"{RUN}-gelf")
    theirs = site.said[f"{RUN}-gelf", "-t"]
    assert docker(client, site.host, "logs", f"{RUN}-gelf")[0].endswith(b"no newline at the end\n")
    for own, other in zip(ours[:2], theirs[:2], strict=True):
        cut = re.sub(rb"(\.\d{3})\d{6}Z ", rb"\g<1>000000Z ", other)
        lines = [line for line in cut.split(b"\n") if not line.endswith(b"Z ")]  # the empty ones
        assert own.rstrip(b"\n").split(b"\n") == [line for line in lines if line]


def test_gelf_has_long_lines_in_one(site: Site, client: str) -> None:
    """Compared byte for byte with 26.1's cache; that of 20.10 forgets the newline of a long line."""
    ours = docker(client, site.host, "logs", f"{RUN}-gelf-long")
    sizes = [(line[:1], len(line)) for line in ours[0].split(b"\n")]
    assert sizes == [(b"a", 16383), (b"b", 16384), (b"c", 50000), (b"e", 32768), (b"e", 3), (b"", 0)]
    assert ours[1] == b"d" * 40000 + b"\n"
    if site.daemon.version == "26.1":
        assert ours == site.said[(f"{RUN}-gelf-long",)]


def test_ps_and_inspect(site: Site, client: str) -> None:
    which = ["--filter", f"label=run={RUN}", "--filter", "name=(odd|gelf)$"]
    rows = docker(client, site.host, "ps", "-a", *which)[0].decode().splitlines()
    assert rows[0].split() == ["CONTAINER", "ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]
    assert [row.split()[-1] for row in rows[1:]] == [f"{RUN}-gelf", f"{RUN}-odd"]  # the latest first
    quiet = (
        docker(client, site.host, "ps", "-aq", "--no-trunc", "--filter", f"name={RUN}-o")[0].decode().split()
    )
    told = docker(client, site.host, "inspect", "-f", "{{.Id}} {{.Name}} {{.Config.Image}}", f"{RUN}-odd")
    assert told[0].decode() == f"{quiet[0]} /{RUN}-odd bb:1\n"
    for ref in (quiet[0], quiet[0][:12], f"/{RUN}-odd"):
        assert docker(client, site.host, "logs", ref) == site.said[(f"{RUN}-odd",)]
    latest = docker(client, site.host, "ps", "--last", "1", "--format", "{{.Names}} {{.Image}}")[0].decode()
    assert latest.split()[1] == "bb:1"


def test_what_is_wrong_is_said_as_docker_says_it(site: Site, client: str) -> None:
    for args in (
        ["logs", f"{RUN}-nothing"], ["inspect", f"{RUN}-nothing"],
        ["ps", "--filter", "colour=red"], ["ps", "--filter", "status=green"],
    ):  # fmt: skip
        mine, theirs = (
            docker(client, host, *args) for host in (site.host, site.daemon.environ["DOCKER_HOST"])
        )
        assert mine[1].lower() == theirs[1].lower()
        assert mine[2] == theirs[2] != 0


def test_nothing_but_reading(site: Site, client: str) -> None:
    for args in (["rm", f"{RUN}-odd"], ["run", "bb:1"], ["images"], ["stop", f"{RUN}-odd"]):
        said = docker(client, site.host, *args)
        assert b"read only" in said[1]
        assert said[2] != 0


def test_what_stands_around(site: Site, client: str) -> None:
    assert b"logdock" in docker(client, site.host, "version")[0]
    assert b"Operating System: logdock" in docker(client, site.host, "info")[0]
    told = docker(
        client, site.host, "events", "--since", "1h", "--until", "0s", "--filter", f"label=run={RUN}"
    )
    assert told[0].decode().count("container start") == 5
    rows = docker(client, site.host, "service", "ls", "--format", "{{.Name}} {{.Mode}}")[0].decode()
    assert "odd global" in rows
    assert b"bb:1" in docker(client, site.host, "service", "ps", "odd")[0]
    raw = docker(client, site.host, "service", "logs", "--raw", "--since", "1h", "odd")
    assert b"line 3\n" in raw[0]


def test_follow_goes_on_without_gap_or_double_and_ends(site: Site, client: str) -> None:
    name = f"{RUN}-tick-{client}"
    opts = [f"--log-opt=fluentd-address={site.server.forward}", "--log-opt=fluentd-sub-second-precision=true"]
    script = "for i in $(seq 60); do echo $i; echo e$i >&2; sleep 0.03; done; printf end"
    running = threading.Thread(target=site.run, args=(name, script, "--log-driver=fluentd", *opts))
    running.start()
    site.server.find_after(f"/containers/{name}/logs", 10)
    reading = follower(client, site.host, "logs", "-f", name)
    shown = docker(client, site.host, "ps", "--filter", f"name={name}", "--format", "{{.Status}}")[0]
    out, err = reading.communicate(timeout=30)
    running.join()
    assert shown.startswith(b"Up ")
    assert out == b"".join(b"%d\n" % number for number in range(1, 61)) + b"end"
    assert err == b"".join(b"e%d\n" % number for number in range(1, 61))
    assert reading.returncode == 0
    site.gone(name)
    assert docker(client, site.host, "logs", "-f", name) == (out, err, 0)
    assert docker(client, site.host, "ps", "-q", "--filter", f"name={name}")[0] == b""
    shown = docker(client, site.host, "ps", "-a", "--filter", f"name={name}", "--format", "{{.Status}}")[0]
    assert shown.startswith(b"Exited ")


def test_follow_ends_at_until(site: Site, client: str) -> None:
    ended = docker(client, site.host, "logs", "-f", "--until", "-1s", f"{RUN}-odd")
    assert ended == site.said[(f"{RUN}-odd",)]


@pytest.mark.parametrize("version", CLIENTS)
def test_follow_of_a_quiet_container_ends_when_the_server_stops(
    version: str, logdock: Launcher, dockerd26: Dockerd
) -> None:
    server = logdock("--store", "memory")
    dockerd26.lab("image", "bb:1")
    name = f"{RUN}-stop-{version}"
    options = ["--log-driver=fluentd", f"--log-opt=fluentd-address={server.forward}"]
    dockerd26.docker(
        "run", "-d", "--network=none", "--name", name, *options, "bb:1", "sh", "-c", "echo hi; sleep 600"
    )
    server.find_after(f"/containers/{name}/logs", 1)
    reading = follower(version, f"tcp://{server.http}", "logs", "-f", name)
    assert reading.stdout is not None
    assert reading.stdout.readline() == b"hi\n"
    time.sleep(1.5)  # several looks at whether the container is still there
    assert reading.poll() is None
    assert server.stop() == 0
    until(lambda: reading.poll() is not None, 10, lambda: "the client still waits")
    assert reading.returncode == 0
    reading.communicate()
    dockerd26.docker("rm", "-f", name)


@pytest.mark.parametrize("version", CLIENTS)
def test_the_dead_are_known_while_the_journal_is_replayed(
    version: str, logdock: Launcher, dockerd26: Dockerd
) -> None:
    server = logdock("--store", "local")
    dockerd26.lab("image", "bb:1")
    name = f"{RUN}-replay-{version}"
    options = ["--log-driver=fluentd", f"--log-opt=fluentd-address={server.forward}"]
    command = ["bb:1", "sh", "-c", "seq 30000"]
    identity = dockerd26.docker("run", "-d", "--network=none", "--name", name, *options, *command).strip()
    dockerd26.docker("wait", identity)
    dockerd26.docker("rm", identity)
    ended = server.data / "journal" / "ended.json"
    until(lambda: ended.exists() and identity in ended.read_text(), 20, lambda: "its end was not written")
    server.kill()
    server.launch()
    until(lambda: docker(version, f"tcp://{server.http}", "version")[2] == 0, 30, server.tail)
    out, err, code = docker(version, f"tcp://{server.http}", "logs", "-f", name)
    assert (out.splitlines(), err, code) == ([b"%d" % number for number in range(1, 30_001)], b"", 0)
    shown = docker(version, f"tcp://{server.http}", "ps", "-a", "--format", "{{.Status}}")[0]
    assert shown.startswith(b"Exited ")
