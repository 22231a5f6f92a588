"""One logging set-up: a driver with its options, where each is written, and how it can be changed.

daemon.json gives one; each service of a compose file gives another, which cannot be edited from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from api.doctor.document import Replacement
from api.doctor.engine import Engine
from api.doctor.findings import ADVICE, ERROR, WARNING, Finding, Severity
from api.doctor.goparse import parse_bool
from api.doctor.target import AddressError, Target, target
from api.doctor.versions import OLDEST, Version

DRIVER = "log-driver"  # the place of the driver in `places`
SECTION = "log-opts"  # that of the options as a whole
LIVE_RESTORE = "live-restore"

Edits = tuple[Replacement, ...]


@dataclass(frozen=True)
class Place:
    """Where something is written: keys from the top of the file, line and column from 1."""

    path: tuple[str, ...]
    line: int = 1
    column: int = 1


def _no_edits(*_: object) -> Edits:
    return ()


def _no_answer(_host: str) -> bool | None:
    return None


@dataclass(frozen=True)
class Editor:
    """How a set-up is changed. One that changes nothing belongs to a file that is not corrected."""

    set: Callable[[Mapping[str, str]], Edits] = _no_edits
    remove: Callable[[str], Edits] = _no_edits
    rename: Callable[[str, str], Edits] = _no_edits
    driver: Callable[[str, Mapping[str, str]], Edits] = _no_edits


@dataclass(frozen=True)
class Setup:
    """`options` are texts (null is empty, true is "true"). `compose`: names that only Docker's
    own DNS knows; `resolves` asks this machine for a host: True, False, or None for no answer in time."""

    driver: str
    options: Mapping[str, str]
    engine: Engine
    places: Mapping[str, Place] = field(default_factory=dict)
    editor: Editor = field(default_factory=Editor)
    compose: frozenset[str] = frozenset()
    resolves: Callable[[str], bool | None] = _no_answer
    live_restore: bool = False
    service: str = ""  # of a compose file; "" is daemon.json
    covered: bool = False  # services of a compose file bring a driver of ours themselves

    @property
    def version(self) -> Version:
        return max(self.engine.version, OLDEST)

    def place(self, option: str) -> Place:
        """Of an option, or of the section when it is not written."""
        return self.places.get(option) or self.places.get(SECTION) or self.places.get(DRIVER) or Place(())

    def finding(
        self,
        severity: Severity,
        code: str,
        option: str,
        message: str,
        effect: str,
        fix: str,
        edits: Edits = (),
    ) -> Finding:
        """A finding at `option`, which need not be written."""
        place = self.place(option)
        if option in self.places:
            path = place.path
        elif option == DRIVER and self.service:
            path = (*self.place(SECTION).path[:-1], "driver")
        elif option in (DRIVER, LIVE_RESTORE):
            path = (option,)
        else:
            path = (*self.place(SECTION).path, option)
        return Finding(code, severity, message, effect, fix, path, place.line, place.column, edits)

    def error(
        self, code: str, option: str, message: str, effect: str, fix: str, edits: Edits = ()
    ) -> Finding:
        return self.finding(ERROR, code, option, message, effect, fix, edits)

    def warning(
        self, code: str, option: str, message: str, effect: str, fix: str, edits: Edits = ()
    ) -> Finding:
        return self.finding(WARNING, code, option, message, effect, fix, edits)

    def advice(
        self, code: str, option: str, message: str, effect: str, fix: str, edits: Edits = ()
    ) -> Finding:
        return self.finding(ADVICE, code, option, message, effect, fix, edits)

    def refused(self, reason: str) -> str:
        """What happens to an option that the driver does not take."""
        if self.service:
            return f"the container is not created: {reason}"
        return f"dockerd does not start: {reason}"

    def unstarted(self, reason: str) -> str:
        """What happens to one that is only looked at when a container starts."""
        who = "the container does not start" if self.service else "containers are created, but none starts"
        return f"{who}: {reason}"

    def truth(self, option: str) -> bool:
        """A boolean option; one that is absent, empty or not a boolean is false."""
        try:
            return parse_bool(self.options.get(option) or "false")
        except ValueError:
            return False

    @property
    def is_async(self) -> bool:
        return self.driver == "fluentd" and (
            self.truth("fluentd-async") or self.truth("fluentd-async-connect")
        )

    @property
    def acknowledges(self) -> bool:
        return self.driver == "fluentd" and self.truth("fluentd-request-ack")

    @property
    def non_blocking(self) -> bool:
        return self.options.get("mode") == "non-blocking"

    @property
    def target(self) -> Target | None:
        """None when the address cannot be used; `rules_address` says why."""
        try:
            return target(self.driver, self.options.get(f"{self.driver}-address", ""), self.version)
        except AddressError:
            return None

    @property
    def connects_at_start(self) -> bool:
        """A container does not start while the target is away."""
        found = self.target
        return found is not None and found.scheme != "udp" and not self.is_async
