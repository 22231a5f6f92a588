"""How the fluentd driver delivers: with or without acknowledgement, at once or through a queue, how often.

The figures were measured with real daemons (20.10 and 26.1) and a healthy receiver, unless another is said;
docs/daemon-json.md has them all.
"""

from __future__ import annotations

from collections.abc import Iterator

from api.doctor.findings import ADVICE, WARNING, Finding
from api.doctor.goparse import parse_duration, parse_ram_bytes, parse_uint
from api.doctor.options import RECOMMENDED_QUEUE, RECOMMENDED_RING
from api.doctor.rules_values import MAX_RETRIES
from api.doctor.setup import Setup

ACK, ASYNC, SUB_SECOND = "fluentd-request-ack", "fluentd-async", "fluentd-sub-second-precision"
QUEUE, RETRIES, WAIT = "fluentd-buffer-limit", "fluentd-max-retries", "fluentd-retry-wait"
READ_TIMEOUT, RECONNECT = "fluentd-read-timeout", "fluentd-async-reconnect-interval"

DEFAULT_QUEUE = 1 << 20  # messages; fluentd.go
LIBRARY_RETRIES = 13  # fluent.go: what 0 becomes
MAX_WAIT = 60.0  # seconds between two attempts, at most; fluent.go
PATIENCE = (
    300.0  # seconds of an outage that a set-up should bear: a restart, or an update of the receiver's host
)


def check(setup: Setup) -> Iterator[Finding]:
    if setup.driver != "fluentd":
        return
    yield from _acknowledgement(setup)
    if setup.is_async:
        yield from _queue(setup)
    yield from _unused(setup)
    yield from _retries(setup)
    yield from _wait(setup)
    if not setup.truth(SUB_SECOND):
        yield _sub_second(setup)


def _acknowledgement(setup: Setup) -> Iterator[Finding]:
    if not setup.acknowledges:
        yield setup.advice(
            "no-ack",
            ACK,
            "no acknowledgements: Docker forgets a line once the kernel has taken it",
            "when the receiver is killed, what lay in socket buffers is lost and not resent: 19,428 of "
            "247,000 lines at full speed, none or one at 100 lines/s",
            f'if every line counts: "{ACK}": "true", "mode": "non-blocking", '
            f'"max-buffer-size": "{RECOMMENDED_RING}", all three',
        )
    elif setup.is_async:
        yield setup.advice(
            "ack-async",
            ACK,
            "acknowledgements slow the sender down, and fluentd-async throws away what still waits at exit",
            "a container that printed 200,000 lines at once and exited lost 180,000 to 199,000 of them",
            f'without {ASYNC}: "mode": "non-blocking", "max-buffer-size": "{RECOMMENDED_RING}"',
        )
    elif not setup.non_blocking:
        yield _ack_sync(setup)


def _ack_sync(setup: Setup) -> Finding:
    """stdout and stderr write on one connection and take each other's acknowledgements (fluent.go)."""
    bounded = _duration(setup, READ_TIMEOUT) > 0
    missing = {"mode": "non-blocking", "max-buffer-size": RECOMMENDED_RING}
    if "max-buffer-size" in setup.options:
        del missing["max-buffer-size"]
    return setup.finding(
        ADVICE if bounded else WARNING,
        "ack-sync",
        ACK,
        "acknowledgements without a queue: stdout and stderr take each other's on one connection",
        f"a container that writes to both resends after each {READ_TIMEOUT}"
        if bounded
        else "a container that writes to both resends or hangs for ever; dockerd 20.10 was seen to crash",
        f'add "mode": "non-blocking", "max-buffer-size": "{RECOMMENDED_RING}": one queue for both streams',
        () if bounded else setup.editor.set(missing),
    )


def _queue(setup: Setup) -> Iterator[Finding]:
    yield setup.advice(
        "async-exit-loss",
        ASYNC,
        "containers start and run while the receiver is down, but Docker throws the queue away at their exit",
        "of 200,000 lines printed at once before an exit 22,000 to 51,000 were lost (of 300 none), and "
        f"mostly a last line without newline; what does not fit into {QUEUE} is dropped, too",
        f"for every line: without {ASYNC}, and the receiver started before Docker (compose/logdock.service)",
    )
    written = setup.options.get(QUEUE, "")
    count = _size(written)
    if count is None or (written.isdigit() and count <= DEFAULT_QUEUE):
        return
    yield setup.warning(
        "buffer-limit-count",
        QUEUE,
        f"{QUEUE} counts messages, not bytes: {written} are {count:,} lines",
        f"every container reserves {_bytes(count * 8)} at its start, and a full queue takes some "
        f"{_bytes(count * 1000)} of dockerd's memory; with 100g dockerd died of it at once",
        f'write "{RECOMMENDED_QUEUE}"',
        setup.editor.set({QUEUE: RECOMMENDED_QUEUE}),
    )


def _unused(setup: Setup) -> Iterator[Finding]:
    needs = {
        QUEUE: (ASYNC, setup.is_async),
        RECONNECT: (ASYNC, setup.is_async),
        READ_TIMEOUT: (ACK, setup.acknowledges),
    }
    for option, (needed, given) in needs.items():
        if setup.options.get(option) and not given:
            yield setup.advice(
                "opt-ignored", option, f"{option} is read only with {needed}", "it does nothing", "remove it",
            )  # fmt: skip


def _retries(setup: Setup) -> Iterator[Finding]:
    written = setup.options.get(RETRIES, "")
    if not written.isdigit():
        return
    number = parse_uint(written, 64) if len(written) < 20 else MAX_RETRIES + 1
    waited = patience(
        number or LIBRARY_RETRIES, _duration(setup, WAIT) or 0.5 if WAIT in setup.options else 1.0
    )
    if number == 0:
        yield _retry_finding(
            setup, "retries-zero", f"0 does not mean none: it means {LIBRARY_RETRIES}", waited
        )
    elif number > MAX_RETRIES:
        yield setup.warning(
            "retries-large",
            RETRIES,
            f"{written} is more than {MAX_RETRIES}",
            "Docker takes it until 28.2; from 28.3 on dockerd does not start",
            f"remove it: the default is {MAX_RETRIES}",
            setup.editor.remove(RETRIES),
        )
    elif waited < PATIENCE:
        yield _retry_finding(setup, "retries-few", f"{number} attempts for a line, then the next", waited)


def _retry_finding(setup: Setup, code: str, message: str, waited: float) -> Finding:
    return setup.warning(
        code,
        RETRIES,
        message,
        f"while the receiver is away each line is given up after some {waited:.0f} s and lost; by default "
        "Docker waits as long as it takes",
        "remove it",
        setup.editor.remove(RETRIES),
    )


def patience(attempts: int, wait: float) -> float:
    """Seconds until a line is given up when every connection is refused (connectWithRetry of fluent.go)."""
    waited = 0.0
    for attempt in range(attempts - 1):
        pause = min(wait * int(1.5 ** (attempt - 1)), MAX_WAIT)
        if waited > PATIENCE:
            break
        waited += pause
        if pause == 0 and attempt > 0:
            break
    return waited


def _wait(setup: Setup) -> Iterator[Finding]:
    if not setup.options.get(WAIT):
        return
    seconds = _duration(setup, WAIT)
    if seconds < 0:
        yield setup.warning(
            "retry-wait",
            WAIT,
            "a negative wait is none at all",
            "while the receiver is away dockerd connects without a pause, and keeps a core busy",
            "remove it: the default is 1s",
            setup.editor.remove(WAIT),
        )
    elif seconds < 0.001 and _valid(setup.options[WAIT]):
        yield setup.advice(
            "retry-wait", WAIT, "0 does not mean none: it means 500ms", "none", 'write "500ms"'
        )


def _sub_second(setup: Setup) -> Finding:
    return setup.advice(
        "sub-second",
        SUB_SECOND,
        "times are whole seconds",
        "all lines of a second have the same time; logdock keeps their order, other programs may not",
        f'add "{SUB_SECOND}": "true"; it costs nothing',
        setup.editor.set({SUB_SECOND: "true"}),
    )


def _duration(setup: Setup, option: str) -> float:
    """Seconds; 0 when it is absent, empty or no duration."""
    try:
        return parse_duration(setup.options.get(option) or "0") / 1e9
    except ValueError:
        return 0.0


def _valid(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True


def _size(text: str) -> int | None:
    try:
        return parse_ram_bytes(text)
    except ValueError:
        return None


def _bytes(count: int) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count} {unit}"
        count //= 1000
    return f"{count} TB"
