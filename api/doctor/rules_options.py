"""The options of fluentd and gelf: does the driver have them in this version?"""

from __future__ import annotations

from collections.abc import Iterator

from api.doctor.edits import Edits
from api.doctor.findings import Finding
from api.doctor.options import BUILT_IN, OURS, RENAMED, Option, known_options, owner
from api.doctor.setup import Setup
from api.doctor.suggest import meant

OLD_ASYNC, ASYNC = "fluentd-async-connect", "fluentd-async"


def check(setup: Setup) -> Iterator[Finding]:
    if setup.driver not in OURS:
        return
    table = known_options(setup.driver, setup.version)
    for option in setup.options:
        if option not in table:
            yield _not_there(setup, option)
        elif option == OLD_ASYNC:
            yield _old_async(setup)


def _old_async(setup: Setup) -> Finding:
    """Until 28.0; both names together are refused."""
    if ASYNC in setup.options:
        return setup.error(
            "opt-conflict",
            OLD_ASYNC,
            f"{OLD_ASYNC} is the old name of {ASYNC}, and both are given",
            setup.refused(f"conflicting options: cannot specify both '{ASYNC}' and '{OLD_ASYNC}"),
            "remove it",
            setup.editor.remove(OLD_ASYNC),
        )
    return setup.warning(
        "opt-deprecated",
        OLD_ASYNC,
        f"{OLD_ASYNC} is the old name of {ASYNC}",
        "works until Docker 27; with 28 dockerd does not start",
        f'write "{ASYNC}"',
        setup.editor.rename(OLD_ASYNC, ASYNC),
    )


def _not_there(setup: Setup, option: str) -> Finding:
    of_other_version = (OURS[setup.driver] | BUILT_IN).get(option)
    if option in RENAMED:
        return _removed(setup, option, RENAMED[option])
    if of_other_version is not None:
        return _too_new(setup, option, of_other_version)
    return _unknown(setup, option)


def _said(setup: Setup, option: str) -> str:
    return setup.refused(f"unknown log opt '{option}' for {setup.driver} log driver")


def _removed(setup: Setup, option: str, name: str) -> Finding:
    return setup.error(
        "opt-removed",
        option,
        f"{option} was removed from Docker",
        _said(setup, option),
        f'write "{name}"',
        _renamed(setup, option, name),
    )


def _too_new(setup: Setup, option: str, found: Option) -> Finding:
    return setup.error(
        "opt-version",
        option,
        f"{option} exists since Docker {found.since}, this is {setup.version}",
        _said(setup, option),
        f"remove it, or update Docker to {found.since}",
        setup.editor.remove(option),
    )


def _unknown(setup: Setup, option: str) -> Finding:
    name, other = _meant(setup, option), owner(option, setup.driver)
    return setup.error(
        "opt-unknown",
        option,
        f"{setup.driver} has no option {option}{f'; it belongs to {other}' if other else ''}",
        _said(setup, option),
        f'did you mean "{name}"?' if name else "remove it",
        _renamed(setup, option, name),
    )


def _meant(setup: Setup, option: str) -> str | None:
    """A known option that is close, also one whose driver was left away. Another driver's is no slip."""
    if owner(option, setup.driver) is not None:
        return None
    known = known_options(setup.driver, setup.version)
    full = f"{setup.driver}-{option}"
    return full if full in known else meant(option, known) or meant(full, known)


def _renamed(setup: Setup, option: str, name: str | None) -> Edits:
    if name is None or name in setup.options:
        return setup.editor.remove(option)
    return setup.editor.rename(option, name)
