"""The driver: does Docker have it, do the options belong to it, and does logdock get anything from it?"""

from __future__ import annotations

from collections.abc import Iterator

from api.doctor import edits
from api.doctor.daemon import section
from api.doctor.document import Document, Member
from api.doctor.findings import ADVICE, ERROR, WARNING, Finding
from api.doctor.options import BUILT_IN, DEFAULT_ADDRESS, DRIVERS, LOGENTRIES_UNTIL, OTHERS, OURS
from api.doctor.setup import DRIVER, Setup
from api.doctor.suggest import meant

# what people call the drivers whose protocol they know
_NICKNAMES = {
    "fluent": "fluentd",
    "fluentbit": "fluentd",
    "fluent-bit": "fluentd",
    "forward": "fluentd",
    "graylog": "gelf",
    "gelf-udp": "gelf",
    "gelf-tcp": "gelf",
}
_STRANGE_BARE = (
    "dockerd starts, and then refuses to create any container: error looking up logging plugin {0}: "
    'plugin "{0}" not found'
)
_STRANGE = 'dockerd searches for 16 seconds and does not start: plugin "{}" not found'


def check(setup: Setup) -> Iterator[Finding]:
    """A driver of ours has nothing to say here."""
    if setup.driver in OURS:
        return
    wanted = _from_options(setup)
    if setup.driver not in DRIVERS or _removed(setup):
        yield from _unknown(setup, wanted)
    elif wanted is not None:
        yield _missing(setup, wanted)
    else:
        yield _elsewhere(setup)


def _from_options(setup: Setup) -> str | None:
    """The driver whose options these are."""
    for driver in OURS:
        if any(option.startswith(f"{driver}-") for option in setup.options):
            return driver
    return None


def _removed(setup: Setup) -> bool:
    return setup.driver == "logentries" and setup.version >= LOGENTRIES_UNTIL


def _unknown(setup: Setup, wanted: str | None) -> Iterator[Finding]:
    """A name like grafana/loki-docker-driver:latest is that of a plugin, which may well exist."""
    if any(character in setup.driver for character in "/:"):
        yield _elsewhere(setup)
        return
    known = [name for name in DRIVERS if name != "logentries"]
    name = _NICKNAMES.get(setup.driver.lower()) or meant(setup.driver, known)
    target = name if name in OURS else wanted or "fluentd"
    said = f"did you mean {name}?" if name else f"use {target}, unless a plugin of that name is installed"
    yield setup.finding(
        ERROR if name or _removed(setup) else WARNING,
        "driver-unknown",
        DRIVER,
        f"Docker has no log driver {setup.driver}",
        _strange(setup),
        said,
        _switch(setup, target),
    )


def _strange(setup: Setup) -> str:
    if setup.service:
        return setup.refused(f'plugin "{setup.driver}" not found')
    return (_STRANGE if setup.options else _STRANGE_BARE).format(setup.driver)


def _missing(setup: Setup, wanted: str) -> Finding:
    written = f"log-driver is {setup.driver}" if DRIVER in setup.places else "log-driver is not given"
    return setup.error(
        "driver-missing",
        DRIVER,
        f"the options are those of {wanted}, but {written}",
        setup.refused(f"the driver is {setup.driver}, and refuses an option that is not its own"),
        f'add "log-driver": "{wanted}"',
        _switch(setup, wanted),
    )


def _elsewhere(setup: Setup) -> Finding:
    default = DRIVER not in setup.places
    name = f"log-driver is not given, so it is {setup.driver}" if default else f"log-driver is {setup.driver}"
    kept = "nothing is kept at all" if setup.driver == "none" else "lines go elsewhere"
    return setup.finding(
        ADVICE if setup.covered else WARNING,
        "driver-elsewhere",
        DRIVER,
        name,
        f"logdock receives nothing from containers that do not ask for another driver: {kept}",
        'write "log-driver": "fluentd" (or "gelf") with the options of docs/daemon-json.md',
        () if setup.covered else _switch(setup, "fluentd"),
    )


def _switch(setup: Setup, driver: str) -> edits.Edits:
    """Options of the old driver go one by one, as options that the new one does not have."""
    return setup.editor.driver(driver, {f"{driver}-address": DEFAULT_ADDRESS[driver]})


def check_values(setup: Setup, document: Document) -> Iterator[Finding]:
    """Values of log-opts that are not text: dockerd reads the options as a map of strings."""
    found = section(document.object)
    for member in found.members if found is not None else ():
        if member.node.kind not in ("string", "null"):
            yield _not_text(setup, document, member)


def _not_text(setup: Setup, document: Document, member: Member) -> Finding:
    node, text = member.node, document.text[member.node.start : member.node.end]
    better = _as_text(text, member)
    return setup.error(
        "opt-not-string",
        member.key,
        f"{member.key} is {text if node.kind in ('bool', 'number') else f'an {node.kind}'}, not a string",
        f"dockerd does not start: json: cannot unmarshal {node.kind} into log-opts of type string",
        f"write {better}" if better is not None else "remove it",
        edits.replace(node, better) if better is not None else setup.editor.remove(member.key),
    )


def _as_text(text: str, member: Member) -> str | None:
    """The value in quotes; a list of names as Docker wants it."""
    if member.node.kind in ("bool", "number"):
        return edits.quoted(text)
    items = member.node.items
    single = len(items) == 1 or member.key in ("labels", "env")
    if items and single and all(item.kind == "string" for item in items):
        return edits.quoted(",".join(str(item.value) for item in items))
    return None


def check_others(setup: Setup) -> Iterator[Finding]:
    """Options that another driver of Docker's does not have. `none` takes any."""
    table = OTHERS.get(setup.driver)
    if not table or _from_options(setup) is not None:
        return
    for option in setup.options:
        if option not in table and option not in BUILT_IN:
            yield setup.error(
                "opt-unknown",
                option,
                f"{setup.driver} has no option {option}",
                setup.refused(f"unknown log opt '{option}' for {setup.driver} log driver"),
                "remove it",
                setup.editor.remove(option),
            )
