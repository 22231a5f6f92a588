"""The services of a compose file: what each one's `logging:` comes to together with daemon.json.

daemon/logs.go, mergeAndVerifyLogConfig: a container's own options win; those of daemon.json are added one by
one if the driver is the same, and cache-* always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from api.doctor.compose import Compose, ComposeError, Logging, Service
from api.doctor.findings import ADVICE, ERROR, Finding
from api.doctor.options import OURS
from api.doctor.setup import DRIVER, SECTION, Place, Setup

Check = Callable[[Setup], Iterator[Finding]]

_LOOPBACK_NAMES = ("localhost", "host.docker.internal")


def syntax(error: ComposeError) -> Finding:
    return Finding(
        "compose-syntax",
        ERROR,
        str(error),
        "compose does not start anything",
        "correct it by hand",
        (),
        error.line,
        error.column,
    )


def covered(compose: Compose) -> bool:
    """Some service names a driver of ours itself."""
    drivers = [service.logging.driver for service in compose.services if service.logging is not None]
    return any(driver is not None and driver.text in OURS for driver in drivers)


def check(compose: Compose, daemon: Setup, of_daemon: tuple[Finding, ...], rules: Check) -> Iterator[Finding]:
    """What `rules` say of each service, without what they said of daemon.json already."""
    for reason in compose.elsewhere:
        yield _elsewhere(reason, (), 1, 1)
    said = {(finding.code, finding.path[-1:]) for finding in of_daemon}
    seen: set[tuple[str, int, int, str]] = set()
    for service in compose.services:
        for finding in _service(service, daemon, said, rules):
            mark = (finding.code, finding.line, finding.column, finding.message)
            if mark not in seen:  # services that share a logging by an anchor
                seen.add(mark)
                yield finding


def _service(
    service: Service, daemon: Setup, said: set[tuple[str, tuple[str, ...]]], rules: Check
) -> Iterator[Finding]:
    if service.elsewhere:
        yield _elsewhere(service.elsewhere, ("services", service.name), service.line, service.column)
    setup = setup_of(service, daemon)
    logging = service.logging
    if logging is not None:
        yield from _values(service.name, logging)
    if logging is not None and not logging.broken:
        for finding in rules(setup):
            inherited = finding.path[-1] not in logging.options and (finding.code, finding.path[-1:]) in said
            if finding.code != "driver-elsewhere" and not inherited:
                yield finding
    if _receives(service, setup):
        yield _itself(service, setup)


def setup_of(service: Service, daemon: Setup) -> Setup:
    """Driver and options as dockerd merges them."""
    logging = service.logging or Logging(service.line, service.column)
    written = logging.driver.text if logging.driver is not None else None
    driver = written or daemon.driver
    own = {key: scalar.text for key, scalar in logging.options.items() if scalar.text is not None}
    defaults = {
        key: value
        for key, value in daemon.options.items()
        if (driver == daemon.driver or key.startswith("cache-")) and key not in logging.options
    }
    return Setup(
        driver,
        {**own, **defaults},
        daemon.engine,
        _places(service.name, logging),
        compose=daemon.compose,
        resolves=daemon.resolves,
        service=service.name,
    )


def _places(name: str, logging: Logging) -> Mapping[str, Place]:
    path = ("services", name, "logging")
    places = {SECTION: Place((*path, "options"), logging.line, logging.column)}
    if logging.driver is not None:
        places[DRIVER] = Place((*path, "driver"), logging.driver.line, logging.driver.column)
    for key, scalar in logging.options.items():
        places[key] = Place((*path, "options", key), scalar.line, scalar.column)
    return places


def _values(name: str, logging: Logging) -> Iterator[Finding]:
    """What compose itself refuses, and what cannot be known from the file."""
    path = ("services", name, "logging")
    if logging.broken:
        yield _value(path, logging.line, logging.column, logging.broken, f"write {logging.broken[-9:]}")
    for key in logging.other:
        yield _value(
            (*path, key), logging.line, logging.column, f"logging has no {key}", "driver and options only"
        )
    driver = logging.driver
    if driver is not None and driver.kind != "string":
        yield _value(
            (*path, "driver"), driver.line, driver.column, "driver must be a string", "write driver: fluentd"
        )
    for key, scalar in logging.options.items():
        where = (*path, "options", key)
        if scalar.kind in ("bool", "other"):
            said = f"{key} must be a string, number or null"
            fix = f'write {key}: "{scalar.text}"' if scalar.text else "write a string"
            yield _value(where, scalar.line, scalar.column, said, fix)
        elif scalar.text is None:
            yield _elsewhere(
                f"{key} depends on a variable without a default", where, scalar.line, scalar.column
            )


def _value(path: tuple[str, ...], line: int, column: int, message: str, fix: str) -> Finding:
    effect = f"compose does not start anything: validating: {message}"
    return Finding("compose-value", ERROR, message, effect, fix, path, line, column)


def _elsewhere(reason: str, path: tuple[str, ...], line: int, column: int) -> Finding:
    return Finding(
        "compose-unresolved",
        ADVICE,
        f"{reason}: not looked at",
        "what stands there may change the logging",
        "`docker compose config > FILE` writes all of it into one file: let the doctor read that",
        path,
        line,
        column,
    )


def _receives(service: Service, setup: Setup) -> bool:
    """The service is the receiver that its own lines would go to."""
    target = setup.target
    if setup.driver not in OURS or target is None or target.scheme == "unix":
        return False
    here = target.is_loopback or target.host in _LOOPBACK_NAMES or target.host in service.names
    kind = "udp" if target.scheme == "udp" else "tcp"
    return here and ((kind, target.port) in service.ports or _is_logdock(service))


def _is_logdock(service: Service) -> bool:
    words = service.runs.split()
    image = words[0].rpartition("/")[2].partition(":")[0].partition("@")[0] if words else ""
    return image == "logdock" or any(word.rpartition("/")[2] == "logdock" for word in words[1:])


def _itself(service: Service, setup: Setup) -> Finding:
    logging = service.logging
    inherited = logging is None or logging.driver is None
    source = (
        f"daemon.json gives it the {setup.driver} driver" if inherited else f"its driver is {setup.driver}"
    )
    if setup.connects_at_start and service.host_network:
        effect = "it does not start: connection refused, its own port is not open yet"
    else:
        effect = (
            "its lines come back to it, and a line that it prints about a line comes back for ever; without "
            "docker-proxy, which takes the connection before the container runs, it does not even start"
        )
    line, column = (logging.line, logging.column) if logging is not None else (service.line, service.column)
    found = setup.finding(
        ERROR,
        "receiver-logs-to-itself",
        DRIVER,
        f"{service.name} is the receiver at {setup.target}, and logs to itself: {source}",
        effect,
        "give it a driver of Docker's own: logging: {driver: local}",
    )
    return replace(found, path=("services", service.name, "logging"), line=line, column=column)
