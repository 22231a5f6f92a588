"""`--live`: one line to the target as Docker would send it, and the server asked whether it is there."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from api.client import Client, ClientError
from api.doctor import wire
from api.doctor.findings import ADVICE, ERROR, Finding
from api.doctor.options import OURS
from api.doctor.setup import Setup

FIND_SECONDS = 10.0  # a line can be asked for some tens of milliseconds after it was sent
FIND_PAUSE = 0.02
MAX_TRIALS = 10  # targets of one run: a compose file may have any number of services


@dataclass(frozen=True)
class Trial:
    """One target. Times are seconds since the trial began; None: not reached, or nothing to wait for."""

    target: str
    connected: float | None = None
    acknowledged: float | None = None
    found: float | None = None
    findings: tuple[Finding, ...] = ()


def try_all(setups: list[tuple[str, Setup]], server: str) -> list[Trial]:
    """(file, set-up) pairs, each different way to a target once."""
    seen: set[tuple[str, str, bool]] = set()
    trials: list[Trial] = []
    for file, setup in setups:
        mark = (setup.driver, str(setup.target), setup.acknowledges)
        if setup.driver in OURS and setup.target is not None and mark not in seen and len(seen) < MAX_TRIALS:
            seen.add(mark)
            trial = try_target(setup, server)
            trials.append(replace(trial, findings=tuple(replace(f, file=file) for f in trial.findings)))
    if not trials:
        trials.append(Trial("", findings=(_nothing(setups),)))
    return trials


def try_target(setup: Setup, server: str) -> Trial:
    assert setup.target is not None
    line, start = wire.Line.make(), time.monotonic()
    trial = Trial(str(setup.target))
    try:
        with wire.dial(setup.target) as connection:
            trial = replace(trial, connected=time.monotonic() - start)
            chunk = wire.send(connection, setup, line)
            if chunk is not None:
                wire.read_ack(connection, chunk)
                trial = replace(trial, acknowledged=time.monotonic() - start)
    except ssl.SSLError as error:
        return replace(trial, connected=None, findings=(_untrusted(setup, error),))
    except OSError as error:
        return replace(trial, connected=None, findings=(_refused(setup, error),))
    except wire.NoAckError as error:
        return replace(trial, findings=(_unacknowledged(setup, error),))
    return _found(trial, setup, server, line, start)


def _found(trial: Trial, setup: Setup, server: str, line: wire.Line, start: float) -> Trial:
    try:
        with Client(server) as client:
            for _ in _pauses(start):
                if client.get("/logs", {"container": line.identity, "limit": 1})["events"]:
                    return replace(trial, found=time.monotonic() - start)
    except (ClientError, LookupError, ValueError) as error:
        return replace(trial, findings=(_unasked(setup, server, error),))
    return replace(trial, findings=(_missing(setup, server),))


def _pauses(start: float) -> Iterator[None]:
    while time.monotonic() - start < FIND_SECONDS:
        yield
        time.sleep(FIND_PAUSE)


def _nothing(setups: list[tuple[str, Setup]]) -> Finding:
    return Finding(
        "live-skipped",
        ADVICE,
        "no target was tried: no set-up has a driver of ours with an address that can be used",
        "nothing is known about what arrives",
        "correct the file first",
        file=setups[0][0] if setups else "",
    )


def _address(setup: Setup) -> str:
    return f"{setup.driver}-address"


def _refused(setup: Setup, error: OSError) -> Finding:
    said = error.strerror or str(error) or type(error).__name__
    if setup.connects_at_start:
        effect = setup.unstarted(said)
    else:
        effect = "containers start and run, and their lines are lost, or wait in fluentd-async's queue"
    return setup.finding(
        ERROR,
        "live-connect",
        _address(setup),
        f"nothing takes lines at {setup.target}: {said}",
        effect,
        "start the receiver (logdock serve), and publish its port on this host when it is a container",
    )


def _untrusted(setup: Setup, error: ssl.SSLError) -> Finding:
    return setup.finding(
        ERROR,
        "live-tls",
        _address(setup),
        f"{setup.target} is not trusted: {error.reason or error}",
        setup.unstarted("tls: failed to verify certificate"),
        "is it TLS at all? add its authority to the system's, or name the host as the certificate does",
    )


def _unacknowledged(setup: Setup, error: wire.NoAckError) -> Finding:
    return setup.finding(
        ERROR,
        "live-ack",
        "fluentd-request-ack",
        f"{setup.target} takes lines, but: {error}",
        "a container stops at its first line and waits, or the same line is sent again and again",
        "the receiver must speak Fluentd's forward protocol with acknowledgements; its own log says more",
    )


def _unasked(setup: Setup, server: str, error: Exception) -> Finding:
    return setup.finding(
        ERROR,
        "live-server",
        _address(setup),
        f"the line was sent to {setup.target}, but {server} cannot be asked for it: {error}",
        "nothing is known about what arrives",
        "name the server that stands behind the address with --server",
    )


def _missing(setup: Setup, server: str) -> Finding:
    return setup.finding(
        ERROR,
        "live-missing",
        _address(setup),
        f"the line was sent to {setup.target}, and {server} does not have it after {FIND_SECONDS:.0f} s",
        "lines go somewhere, but not there",
        f"is {server} the one behind {setup.target}? its /readyz and its log say more",
    )
