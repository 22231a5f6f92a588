"""docker-py, as people's scripts use it, on containers that are gone."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import docker
import pytest
from docker.errors import APIError, NotFound

from tests.real.conftest import Launcher
from tests.real.dockerd import Dockerd
from tests.real.server import Logdock

pytestmark = pytest.mark.docker

NAME = f"py{random.randrange(1 << 32):08x}"
SCRIPT = "for i in 1 2 3; do echo out $i; sleep 0.02; echo err $i >&2; sleep 0.02; done; printf end"


@pytest.fixture(scope="module")
def server(logdock_module: Launcher, dockerd26: Dockerd) -> Logdock:
    made = logdock_module("--store", "memory")
    dockerd26.lab("image", "bb:1")
    for _ in range(2):  # two lives of one name
        options = [f"--log-opt=fluentd-address={made.forward}", "--log-opt=fluentd-sub-second-precision=true"]
        command = [
            "run",
            "-d",
            "--network=none",
            "--name",
            NAME,
            "--label=a=b",
            "--label=com.docker.compose.service=pinger",
        ]
        identity = dockerd26.docker(
            *command,
            "--log-driver=fluentd",
            "--log-opt=labels=a,com.docker.compose.service",
            *options,
            "bb:1",
            "sh",
            "-c",
            SCRIPT,
        ).strip()
        dockerd26.docker("wait", identity)
        dockerd26.docker("rm", identity)
    assert len(made.find_after(f"/containers/{NAME}/logs", 14)) == 14
    return made


@pytest.fixture
def client(server: Logdock) -> Iterator[docker.DockerClient]:
    made = docker.DockerClient(base_url=f"tcp://{server.http}")
    yield made
    made.close()


def test_two_lives_and_each_of_them(client: docker.DockerClient) -> None:
    life = b"out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nend"
    assert client.containers.get(NAME).logs() == life + life
    lives = client.containers.list(all=True, filters={"name": NAME, "label": "a=b"})
    assert [one.name for one in lives] == [NAME, NAME]
    assert [one.logs() for one in lives] == [life, life]
    assert lives[0].id != lives[1].id
    assert client.containers.get(lives[1].short_id).id == lives[1].id


def test_parameters(client: docker.DockerClient) -> None:
    one = client.containers.get(client.containers.list(all=True)[0].id)
    assert one.logs(stderr=False, tail=3) == b"out 3\nend"
    assert one.logs(stdout=False) == b"err 1\nerr 2\nerr 3\n"
    assert list(one.logs(stream=True, tail=2)) == [b"err 3\n", b"end"]
    assert next(client.api.logs(one.id, stream=True, stdout=True, stderr=False)) == b"out 1\n"
    stamped = one.logs(timestamps=True, tail=1).split(b" ")[0].decode()
    last = datetime.fromisoformat(stamped[:26] + "+00:00")
    assert one.logs(since=last - timedelta(hours=1)) == one.logs()
    assert one.logs(until=datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=1)) == b""


def test_following_ends_after_the_last_line(client: docker.DockerClient) -> None:
    stream = client.containers.get(NAME).logs(stream=True, follow=True)
    assert len(list(stream)) == 14


def test_what_stands_around(client: docker.DockerClient) -> None:
    assert client.ping()
    assert client.version()["ApiVersion"] == "1.45"
    assert client.info()["Containers"] == 2
    soon = datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=1)  # it sends whole seconds
    past = client.events(since=0, until=soon, decode=True)
    told = [(event["Action"], event["Actor"]["Attributes"]["name"]) for event in past]
    assert told == [("start", NAME), ("die", NAME)] * 2
    service = client.services.list()[0]
    assert service.name == "pinger"
    assert len(service.tasks()) == 2
    assert b"".join(service.logs(stdout=True, stderr=False)).count(b"out 1") == 2


def test_errors(client: docker.DockerClient) -> None:
    with pytest.raises(NotFound, match="No such container: nothing"):
        client.containers.get("nothing")
    with pytest.raises(APIError, match="read only"):
        client.containers.get(NAME).stop()
    with pytest.raises(APIError, match="invalid filter 'colour'"):
        client.containers.list(filters={"colour": "red"})
