"""Where the lines go: does Docker take the address, and does dockerd reach what stands there?"""

from __future__ import annotations

from collections.abc import Iterator

from api.doctor.findings import Finding
from api.doctor.options import OURS
from api.doctor.setup import Setup
from api.doctor.target import FLUENTD_PORT, GELF_PORT, URLS, AddressError, Target, ip, target
from api.doctor.versions import CURRENT

# names that Docker gives to containers only; a Linux host does not have them
CONTAINER_NAMES = frozenset({"host.docker.internal", "gateway.docker.internal", "host.containers.internal"})


def check(setup: Setup) -> Iterator[Finding]:
    if setup.driver not in OURS:
        return
    try:
        found = target(setup.driver, _written(setup), setup.version)
    except AddressError as error:
        yield _refused(setup, error)
        return
    yield from _old_path(setup)
    yield from _other_protocol(setup, found)
    yield from _name(setup, found)
    yield from _tls(setup, found)


def _option(setup: Setup) -> str:
    return f"{setup.driver}-address"


def _written(setup: Setup) -> str:
    return setup.options.get(_option(setup), "")


def _refused(setup: Setup, error: AddressError) -> Finding:
    effects = {
        "file": setup.refused(str(error)),
        "start": setup.unstarted(str(error)),
        "never": "containers start and run, and every line is lost",
    }
    effect = effects[error.when]
    if error.code == "address-missing" and not setup.options and not setup.service:
        effect = (
            "dockerd starts, and then refuses to create any container: gelf-address is a required parameter"
        )
    return setup.error(
        error.code,
        _option(setup),
        str(error) if error.code == "address-missing" else f"{_option(setup)} {_written(setup)!r}: {error}",
        effect,
        f'write "{error.better}"' if error.better else _advice(setup),
        setup.editor.set({_option(setup): error.better}) if error.better else (),
    )


def _advice(setup: Setup) -> str:
    if setup.driver == "gelf":
        return "write tcp://host:port or udp://host:port"
    return "write host:port with a name or an IPv4 address, or unix:///path"


def _old_path(setup: Setup) -> Iterator[Finding]:
    """Docker 20.10 ignores the path of tcp://host:port/path; 23.0 does not start with it."""
    if setup.version >= URLS:
        return
    try:
        target(setup.driver, _written(setup), CURRENT)
    except AddressError as error:
        yield setup.warning(
            error.code,
            _option(setup),
            f"{_option(setup)} {_written(setup)!r}: {error}",
            f"Docker {setup.version} takes it; from 23.0 on dockerd does not start",
            f'write "{error.better}"' if error.better else _advice(setup),
            setup.editor.set({_option(setup): error.better}) if error.better else (),
        )


def _other_protocol(setup: Setup, found: Target) -> Iterator[Finding]:
    wrong, right = (GELF_PORT, FLUENTD_PORT) if setup.driver == "fluentd" else (FLUENTD_PORT, GELF_PORT)
    if found.port != wrong:
        return
    other = "GELF" if setup.driver == "fluentd" else "fluentd"
    yield setup.warning(
        "address-other-protocol",
        _option(setup),
        f"port {wrong} is the usual one of {other}, and this is the {setup.driver} driver",
        "a receiver of the other protocol closes the connection or drops the datagrams: every line is lost",
        f"{setup.driver} goes to port {right}",
        setup.editor.set({_option(setup): _written(setup).replace(str(wrong), str(right))}),
    )


def _name(setup: Setup, found: Target) -> Iterator[Finding]:
    host = found.host
    if found.scheme == "unix" or ip(host) is not None or host in ("", "localhost"):
        return
    if (
        host in setup.compose
        or host in CONTAINER_NAMES
        or ("." not in host and setup.resolves(host) is False)
    ):
        yield _only_docker(setup, found)
    elif setup.driver == "gelf" and found.scheme == "udp":
        yield setup.advice(
            "address-resolved-once",
            _option(setup),
            f"over udp gelf looks {host} up once, when a container starts",
            "when its address changes, running containers send to the old one until they are restarted",
            "give an address that stays, or use tcp://, which looks it up at each connection",
        )


def _only_docker(setup: Setup, found: Target) -> Finding:
    who = (
        "is the name of a service or container"
        if found.host in setup.compose
        else "is not known on this host"
    )
    better = _written(setup).replace(found.host, "127.0.0.1", 1)
    return setup.warning(
        "address-docker-dns",
        _option(setup),
        f"{found.host} {who}; dockerd asks the host's resolver, not Docker's own DNS",
        setup.unstarted("no such host"),
        f'publish the port on the host, and write "{better}"',
        setup.editor.set({_option(setup): better}),
    )


def _tls(setup: Setup, found: Target) -> Iterator[Finding]:
    if found.scheme != "tls":
        return
    yield setup.advice(
        "tls-system-roots",
        _option(setup),
        "tls:// is verified against the system's authorities; no option names another",
        "with a certificate of your own no container starts, unless its authority is among the system's",
        "add your authority to the system's (or SSL_CERT_FILE in dockerd's environment), and restart dockerd",
    )
