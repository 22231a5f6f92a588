"""The values of options: would Go's parsers take them, and are they within the driver's bounds?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from api.doctor.findings import Finding
from api.doctor.goparse import parse_bool, parse_duration, parse_int, parse_ram_bytes, parse_uint
from api.doctor.options import OURS, RECOMMENDED_QUEUE, RECOMMENDED_RING, known_options
from api.doctor.setup import Setup
from api.doctor.suggest import meant
from api.doctor.versions import Version

RETRIES_CAPPED = Version(28, 3)  # fluentd-max-retries: 31 bits since then, 64 before
MAX_RETRIES = (1 << 31) - 1
MIN_INTERVAL, MAX_INTERVAL = 100_000_000, 10_000_000_000  # ns; fluentd.go, the reconnect interval
MODES = ("blocking", "non-blocking")
COMPRESSIONS = ("gzip", "zlib", "none")

_TRUE = frozenset({"yes", "on", "y", "enabled", "enable", "true", "t", "1"})
_FALSE = frozenset({"no", "off", "n", "disabled", "disable", "false", "f", "0"})
_TIMEOUTS = ("fluentd-write-timeout", "fluentd-read-timeout")

# Each gives (what is wrong, a value that means the same or None) for a value that is refused, else None.
Check = Callable[[Setup, str, str], tuple[str, str | None] | None]


def check(setup: Setup) -> Iterator[Finding]:
    """Values of options that this version has. An empty one mostly means the default."""
    if setup.driver not in OURS:
        return
    table = known_options(setup.driver, setup.version)
    for option, value in setup.options.items():
        if option in table and (value or not table[option].empty) and table[option].kind in _CHECKS:
            code, examine = _CHECKS[table[option].kind]
            wrong = examine(setup, option, value)
            if wrong is not None:
                yield _refused(setup, code, option, *wrong)


def _refused(setup: Setup, code: str, option: str, message: str, better: str | None) -> Finding:
    value = setup.options[option]
    return setup.error(
        code,
        option,
        f"{option}: {value!r} is {message}",
        setup.refused(f"{option} cannot be read"),
        f'write "{better}"' if better is not None else "remove it: the default is better than no container",
        setup.editor.set({option: better}) if better is not None else setup.editor.remove(option),
    )


def _boolean(_setup: Setup, _option: str, value: str) -> tuple[str, str | None] | None:
    try:
        parse_bool(value)
    except ValueError:
        word = value.strip().lower()
        return "no boolean of Go", "true" if word in _TRUE else "false" if word in _FALSE else None
    return None


def _retries(setup: Setup, _option: str, value: str) -> tuple[str, str | None] | None:
    capped = setup.version >= RETRIES_CAPPED
    try:
        number = parse_uint(value, 64)
    except ValueError:
        return "no whole number from 0 on", None
    if capped and number > MAX_RETRIES:
        return f"more than {MAX_RETRIES}", str(MAX_RETRIES)
    return None


def _duration(_setup: Setup, option: str, value: str) -> tuple[str, str | None] | None:
    try:
        nanoseconds = parse_duration(value)
    except ValueError as error:
        return f"no duration of Go ({error})", _better_duration(value)
    if option == "fluentd-async-reconnect-interval" and nanoseconds != 0:
        if nanoseconds < MIN_INTERVAL:
            return "shorter than 100ms", "100ms"
        if nanoseconds > MAX_INTERVAL:
            return "longer than 10s", "10s"
    if option in _TIMEOUTS and nanoseconds < 0:
        return "negative", None
    return None


def _better_duration(value: str) -> str | None:
    """A bare number is seconds, blanks go, days become hours; but only when the result is taken."""
    text = "".join(value.split()).lower()
    text = text + "s" if text.lstrip("+-").replace(".", "", 1).isdigit() else text
    for word, unit in (("sec", "s"), ("seconds", "s"), ("second", "s"), ("min", "m"), ("minutes", "m")):
        text = text[: -len(word)] + unit if text.endswith(word) else text
    if text.endswith("d") and text[:-1].isdigit():
        text = f"{int(text[:-1]) * 24}h"
    try:
        parse_duration(text)
    except ValueError:
        return None
    return text


def _size(_setup: Setup, _option: str, value: str) -> tuple[str, str | None] | None:
    try:
        parse_ram_bytes(value)
    except ValueError:
        return "no number of messages", RECOMMENDED_QUEUE
    return None


def _ring(setup: Setup, _option: str, value: str) -> tuple[str, str | None] | None:
    """Without mode non-blocking it is refused for that (`rules_ring`)."""
    if not setup.non_blocking:
        return None
    try:
        parse_ram_bytes(value)
    except ValueError:
        return "no size", RECOMMENDED_RING
    return None


def _mode(setup: Setup, _option: str, value: str) -> tuple[str, str | None] | None:
    if value in MODES:
        return None
    ring = "max-buffer-size" in setup.options
    return f"no mode: {' or '.join(MODES)}", meant(value, MODES) or (MODES[1] if ring else None)


def _compression(_setup: Setup, _option: str, value: str) -> tuple[str, str | None] | None:
    if value in COMPRESSIONS:
        return None
    return f"none of {', '.join(COMPRESSIONS)}", meant(value, COMPRESSIONS) or "none"


def _level(_setup: Setup, _option: str, value: str) -> tuple[str, str | None] | None:
    try:
        good = -1 <= parse_int(value) <= 9
    except ValueError:
        good = False
    return None if good else ("no level from -1 to 9", None)


def _natural(_setup: Setup, option: str, value: str) -> tuple[str, str | None] | None:
    try:
        good = parse_int(value) >= 0
    except ValueError:
        good = False
    if good:
        return None
    seconds = value.strip().removesuffix("s")
    plain = seconds if option == "gelf-tcp-reconnect-delay" and seconds.isdigit() else None
    return "no whole number from 0 on", plain


_CHECKS: dict[str, tuple[str, Check]] = {
    "bool": ("opt-boolean", _boolean),
    "uint": ("opt-number", _retries),
    "duration": ("opt-duration", _duration),
    "size": ("opt-size", _size),
    "ring": ("opt-size", _ring),
    "mode": ("opt-choice", _mode),
    "compression": ("opt-choice", _compression),
    "level": ("opt-number", _level),
    "int": ("opt-number", _natural),
}
