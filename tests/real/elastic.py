"""A real Elasticsearch that a test owns, through scripts/elasticsearch: to kill, freeze and restart."""

import hashlib
import os
import random
import signal
import socket
import ssl
import subprocess
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from tests.real.server import until

SCRIPT = Path(__file__).parents[2] / "scripts" / "elasticsearch"
START_PATIENCE = 400  # seconds; the first start on a bare machine downloads it
ANSWER_SECONDS = 30.0  # for one request of a test
GREEN_PATIENCE = (
    120.0  # seconds until a replica that has to be copied is there; a node that left is waited for 60
)
TRANSPORT_BEYOND_HTTP = 100  # the transport port is the HTTP port and this
PORTS = range(20_000, 30_000)
"""Where ports are looked for: below those that the system gives to clients, which could take the port of a
server that is down for a moment."""
PASSWORD = "logdock-test"
HASH_ROUNDS = 10_000  # of PBKDF2, as Elasticsearch's own default


class NodeError(Exception):
    """scripts/elasticsearch ended badly; the text is what it printed."""


class Node:
    """One Elasticsearch process, with the server JVM and the launcher JVM that watches over it.

    `folder`/elasticsearch-PORT leads to its configuration and logs. They stand below /tmp, and so must `data`
    (for example a small tmpfs): Elasticsearch never runs as root, and may not enter pytest's own folders.
    `cluster`: nodes that exist already and whose cluster this one joins. `security`: TLS, and the user
    `elastic`; `files` is a folder of more configuration files, as roles.yml, users and users_roles are.
    `settings` are lines for elasticsearch.yml.
    """

    def __init__(
        self,
        folder: Path,
        *,
        version: str = "9.5.3",
        port: int | None = None,
        heap: str = "512m",
        security: bool = False,
        data: Path | None = None,
        cluster: Sequence["Node"] = (),
        files: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port or free_port()
        self.name = f"node-{self.port}"
        self.security = security
        self.run = Path(f"/tmp/logdock-es-{version}/run-{self.port}")
        self.peers: list[Node] = [*cluster, self]
        self.environ = {
            "LOGDOCK_ES_VERSION": version, "LOGDOCK_ES_PORT": str(self.port), "LOGDOCK_ES_HEAP": heap,
            "LOGDOCK_ES_RUN": str(self.run), "LOGDOCK_ES_DATA": str(data or self.run / "data"),
            "LOGDOCK_ES_SECURITY": str(int(security)), "LOGDOCK_ES_PASSWORD": PASSWORD,
            "LOGDOCK_ES_FILES": str(files or ""),
            "LOGDOCK_ES_SETTINGS": "\n".join(f"{name}: {value}" for name, value in (settings or {}).items()),
        }  # fmt: skip
        for peer in cluster:
            peer.peers.append(self)
        link(folder / f"elasticsearch-{self.port}", self.run)

    @property
    def url(self) -> str:
        """With the user and the password of the superuser when it is secure."""
        return self.url_of("elastic") if self.security else f"http://127.0.0.1:{self.port}"

    def url_of(self, user: str, password: str = PASSWORD) -> str:
        return f"https://{quote(user)}:{quote(password)}@127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path | None:
        """The PEM file of the authority behind its certificate."""
        return self.run / "certs" / "ca.crt" if self.security else None

    @property
    def log(self) -> Path:
        return self.run / "out.log"

    def start(self) -> "Node":
        """Start it on its data, and wait until it answers (in a cluster: until there is a master)."""
        self.script("up")
        return self

    def stop(self) -> None:
        """SIGTERM, and wait for its end."""
        self.thaw()
        self.script("stop")

    def kill(self) -> None:
        """SIGKILL to both of its processes, and wait for their end."""
        self.script("kill")

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        """End it and forget its data."""
        self.thaw()
        self.script("down")

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        for pid in self.pids():
            os.kill(pid, number)

    def pids(self) -> list[int]:
        """The launcher and the server, those that live."""
        return [int(pid) for pid in self.script("pids").split()]

    def running(self) -> bool:
        return bool(self.pids())

    def script(self, verb: str) -> str:
        ports = " ".join(str(peer.port) for peer in self.peers) if len(self.peers) > 1 else ""
        done = subprocess.run(
            [str(SCRIPT), verb],
            env={**os.environ, **self.environ, "LOGDOCK_ES_CLUSTER": ports},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_PATIENCE,
            check=False,
        )
        if done.returncode:
            raise NodeError(f"scripts/elasticsearch {verb}: {done.stderr[-2000:]}")
        return done.stdout

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """As the function of this name, by the superuser."""
        return ask(self.url, method, path, body, self.ca)

    def wait_green(self, nodes: int = 1) -> None:
        """Until the cluster has so many nodes, and every shard with all its replicas."""

        def green() -> bool:
            health = self.ask("GET", "/_cluster/health")
            return bool(health["status"] == "green" and health["number_of_nodes"] == nodes)

        until(green, GREEN_PATIENCE, lambda: f"not green: {self.ask('GET', '/_cluster/health')}")


def ask(url: str, method: str, path: str, body: Any = None, ca: str | Path | None = None) -> Any:
    """The parsed JSON of an answer. Raises httpx.HTTPStatusError with what the server said, and OSErrors."""
    with httpx.Client(trust_env=False, timeout=ANSWER_SECONDS, verify=trust(ca)) as client:
        answer = client.request(method, url + path, json=body)
        if answer.is_error:
            raise httpx.HTTPStatusError(answer.text[:1000], request=answer.request, response=answer)
        return answer.json()


def trust(ca: str | Path | None) -> ssl.SSLContext | bool:
    """For httpx: only what this authority signed; nothing is asked of plain HTTP."""
    return ssl.create_default_context(cafile=str(ca)) if ca else False


def write_users(folder: Path, roles: str, users: Mapping[str, str]) -> Path:
    """Files for Node(files=...): roles.yml, and a user of the file realm for some roles, with PASSWORD."""
    folder.mkdir(parents=True, exist_ok=True)
    salt = b"as good as another"
    digest = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, HASH_ROUNDS, 32)
    hashed = f"{{PBKDF2}}{HASH_ROUNDS}${b64encode(salt).decode()}${b64encode(digest).decode()}"
    (folder / "roles.yml").write_text(roles)
    (folder / "users").write_text("".join(f"{user}:{hashed}\n" for user in users))
    (folder / "users_roles").write_text("".join(f"{role}:{user}\n" for user, role in users.items()))
    return folder


def given_ca() -> str | None:
    """The authority behind the Elasticsearch that the suite was given."""
    return os.environ.get("LOGDOCK_TEST_ELASTICSEARCH_CA") or None


def superuser(url: str) -> str:
    """The URL by which a test looks into that server itself; logdock's own user may be allowed less."""
    return os.environ.get("LOGDOCK_TEST_ELASTICSEARCH_SUPERUSER", url)


def free_port() -> int:
    """An HTTP port that is free, and whose transport port is."""
    while True:
        port = random.choice(PORTS)
        try:
            for number in (port, port + TRANSPORT_BEYOND_HTTP):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
        except OSError:
            continue
        return port


def link(place: Path, target: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_symlink():
        place.symlink_to(target)
