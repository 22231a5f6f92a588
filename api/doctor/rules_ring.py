"""`mode` and its buffer, and Docker's own copy of the lines. Sources: daemon/logger/ring.go, factory.go,
loggerutils/cache."""

from __future__ import annotations

from collections.abc import Iterator

from api.doctor.findings import Finding
from api.doctor.goparse import parse_ram_bytes
from api.doctor.options import OURS, RECOMMENDED_RING
from api.doctor.setup import Setup

RING = "max-buffer-size"
DEFAULT_RING = 1_000_000  # bytes; ring.go
SMALL_RING = 1 << 20  # what the figures below were measured with; more is a choice
_NEVER_APPLIED = ("cache-max-size", "cache-max-file", "cache-compress")


def check(setup: Setup) -> Iterator[Finding]:
    if setup.driver not in OURS:
        return
    yield from _ring(setup)
    yield from _cache(setup)


def _ring(setup: Setup) -> Iterator[Finding]:
    if setup.non_blocking:
        size = _size(setup)
        if size <= SMALL_RING:
            yield _small(setup, size)
        yield _drops(setup)
    elif RING in setup.options and setup.options.get("mode", "") in ("", "blocking"):
        yield _without_mode(setup)


def _size(setup: Setup) -> int:
    """Bytes; a size that cannot be read has its own finding."""
    if RING not in setup.options:
        return DEFAULT_RING
    try:
        return parse_ram_bytes(setup.options[RING])
    except ValueError:
        return SMALL_RING + 1


def _small(setup: Setup, size: int) -> Finding:
    how = "of 1 MB, the default" if RING not in setup.options else f"of {setup.options[RING]}"
    return setup.warning(
        "ring-default",
        RING if RING in setup.options else "mode",
        f"mode non-blocking with a buffer {how}: some {size // 130:,} lines",
        "what does not fit is dropped without a word: of 400,000 lines at full speed 267,033 were lost",
        f'write "{RING}": "{RECOMMENDED_RING}"',
        setup.editor.set({RING: RECOMMENDED_RING}),
    )


def _drops(setup: Setup) -> Finding:
    return setup.advice(
        "ring-drops",
        "mode",
        "mode non-blocking: a container never waits for its log",
        f"lines that do not fit into {RING} vanish without a word; 64m are some half a million lines",
        "leave it out if a container should wait instead"
        + ("; with fluentd-request-ack it is needed" if setup.acknowledges else ""),
    )


def _without_mode(setup: Setup) -> Finding:
    """Without acknowledgements waiting loses nothing, so the buffer goes; with them it is needed."""
    if setup.acknowledges and not setup.is_async:
        fix, edits = 'add "mode": "non-blocking"', setup.editor.set({"mode": "non-blocking"})
    else:
        fix, edits = 'remove it, or add "mode": "non-blocking", which drops lines', setup.editor.remove(RING)
    return setup.error(
        "ring-without-mode",
        RING,
        f"{RING} is only for mode non-blocking",
        setup.refused(f"{RING} option is only supported with 'mode=non-blocking'"),
        fix,
        edits,
    )


def _cache(setup: Setup) -> Iterator[Finding]:
    if setup.truth("cache-disabled"):
        yield setup.advice(
            "cache-disabled",
            "cache-disabled",
            "Docker keeps no copy of its own",
            "docker logs says: configured logging driver does not support reading; a quarter more lines/s",
            "remove it, or ask with logdock logs",
        )
    for option in _NEVER_APPLIED:
        if option in setup.options:
            yield setup.advice(
                "opt-ignored",
                option,
                f"{option} is taken, and never applied",
                "the copy is 5 files of 20 MB a container, whatever is written here (moby issue 45668)",
                "remove it",
            )
