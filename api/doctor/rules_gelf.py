"""How the gelf driver delivers: udp or tcp, compressed or not."""

from __future__ import annotations

from collections.abc import Iterator

from api.doctor.findings import Finding
from api.doctor.options import RECOMMENDED_RECONNECT
from api.doctor.setup import Setup

TYPE, LEVEL = "gelf-compression-type", "gelf-compression-level"
RECONNECT, DELAY = "gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay"
DEFAULT_TYPE = "gzip"  # go-gelf, udpwriter.go


def check(setup: Setup) -> Iterator[Finding]:
    if setup.driver != "gelf":
        return
    target = setup.target
    scheme = target.scheme if target is not None else ""
    if scheme == "udp":
        yield from _udp(setup)
    elif scheme == "tcp":
        yield from _tcp(setup)
    yield setup.advice(
        "gelf-long-lines",
        "gelf-address",
        "gelf cuts lines every 16 KiB without a mark, and leaves empty lines out",
        "a line of 300 KB is 19 lines; of traces the blank lines are missing; times are milliseconds; bytes "
        "that are not UTF-8 are replaced",
        "the fluentd driver keeps all of that",
    )


def _udp(setup: Setup) -> Iterator[Finding]:
    for option in (RECONNECT, DELAY):
        if option in setup.options:
            yield setup.error(
                "gelf-tcp-over-udp",
                option,
                f"{option} is only for tcp://",
                setup.refused(f'"{option}" is only valid for TCP'),
                "remove it",
                setup.editor.remove(option),
            )
    yield from _compression(setup)
    yield setup.advice(
        "gelf-udp-loss",
        "gelf-address",
        "over udp nobody learns that a line was lost",
        "while the receiver was away 363 of 1,000 lines were lost, and the container went on; of bursts of "
        "200,000 lines 0 to 78,000, on a busy machine and on loopback",
        "tcp://, if the containers may wait",
    )


def _compression(setup: Setup) -> Iterator[Finding]:
    kind = setup.options.get(TYPE, DEFAULT_TYPE)
    if kind in ("gzip", "zlib"):
        how = "" if TYPE in setup.options else " (the default)"
        yield setup.warning(
            "gelf-compression",
            TYPE,
            f"every line is compressed with {kind}{how}",
            "one container gets 2,200 lines/s and costs dockerd 1.6 cores; with none it gets 82,000. One "
            "that printed 200,000 lines and exited lost 171,000 to 193,000",
            f'write "{TYPE}": "none"',
            setup.editor.set({TYPE: "none"}),
        )
    elif kind == "none" and LEVEL in setup.options:
        yield setup.advice(
            "opt-ignored", LEVEL, f"{LEVEL} is read only with compression", "it does nothing", "remove it"
        )


def _tcp(setup: Setup) -> Iterator[Finding]:
    for option in (TYPE, LEVEL):
        if option in setup.options:
            yield setup.error(
                "gelf-compression-tcp",
                option,
                f"{option} is only for udp://",
                setup.refused("compression is only supported on UDP"),
                "remove it",
                setup.editor.remove(option),
            )
    if RECONNECT not in setup.options:
        yield setup.advice(
            "gelf-reconnect",
            RECONNECT,
            "a line is given up after 3 attempts a second apart, then the next one is tried",
            "while the receiver was away for 5 s one line was lost, and with 20 attempts none",
            f'add "{RECONNECT}": "{RECOMMENDED_RECONNECT}"',
            setup.editor.set({RECONNECT: RECOMMENDED_RECONNECT}),
        )
