"""What travels with a line: labels and variables. Source: ExtraAttributes of daemon/logger/loginfo.go."""

from __future__ import annotations

from collections.abc import Iterator

from api.doctor import goregex
from api.doctor.findings import Finding
from api.doctor.options import OURS, RECOMMENDED_LABELS
from api.doctor.secretnames import NAMES, looks_secret
from api.doctor.setup import Setup

LISTS, REGEXES = ("labels", "env"), ("labels-regex", "env-regex")
SERVICE_LABELS = ("com.docker.compose.service", "com.docker.swarm.service.name")

# Fields of the record that a label or variable of the same name replaces (fluentd.go, gelf.go).
_OWN = {
    "fluentd": ("log", "source", "container_id", "container_name", "partial_message"),
    "gelf": ("container_id", "container_name", "tag", "image_name", "created", "command"),
}


def check(setup: Setup) -> Iterator[Finding]:
    if setup.driver not in OURS:
        return
    regexes = {option: _compiled(setup, option) for option in REGEXES if setup.options.get(option)}
    for option, regex in regexes.items():
        if isinstance(regex, goregex.RegexError):
            yield _invalid(setup, option, regex)
    good = {option: regex for option, regex in regexes.items() if isinstance(regex, goregex.Regex)}
    for option in LISTS:
        yield from _list(setup, option)
    yield from _secrets(setup, good.get("env-regex"))
    yield from _labels(setup, good.get("labels-regex"))


def _compiled(setup: Setup, option: str) -> goregex.Regex | goregex.RegexError:
    try:
        return goregex.parse(setup.options[option])
    except goregex.RegexError as error:
        return error


def _invalid(setup: Setup, option: str, error: goregex.RegexError) -> Finding:
    better = RECOMMENDED_LABELS if option == "labels-regex" else None
    return setup.error(
        "regex-invalid",
        option,
        f"{option}: {error}",
        setup.unstarted("error parsing regexp"),
        f'for compose and swarm: "{RECOMMENDED_LABELS}"'
        if better
        else "correct it, or name the variables in env",
        setup.editor.set({option: better}) if better else setup.editor.remove(option),
    )


def names(text: str) -> list[str]:
    """Docker splits at commas and trims nothing."""
    return text.split(",") if text else []


def _list(setup: Setup, option: str) -> Iterator[Finding]:
    listed = names(setup.options.get(option, ""))
    if any(name != name.strip() or not name for name in listed):
        better = ",".join(name.strip() for name in listed if name.strip())
        yield setup.warning(
            "labels-blanks",
            option,
            f"{option} {setup.options[option]!r}: Docker does not trim the names of the list",
            "a name with a blank is never found, and is left out without a word",
            f'write "{better}"',
            setup.editor.set({option: better}),
        )
        return
    own = [name for name in listed if name in _OWN[setup.driver]]
    if own:
        yield _overwrites(setup, option, listed, own)


def _overwrites(setup: Setup, option: str, listed: list[str], own: list[str]) -> Finding:
    rest = ",".join(name for name in listed if name not in own)
    lost = (
        "every line is replaced by its value"
        if "log" in own
        else "what Docker says there is replaced by its value"
    )
    return setup.warning(
        "labels-overwrite",
        option,
        f"{option} names {', '.join(own)}, which {setup.driver} uses itself",
        f"of a container that has it {lost}",
        f"take {'it' if len(own) == 1 else 'them'} out of the list",
        setup.editor.set({option: rest}) if rest else setup.editor.remove(option),
    )


def _secrets(setup: Setup, regex: goregex.Regex | None) -> Iterator[Finding]:
    listed = names(setup.options.get("env", ""))
    named = [name for name in listed if looks_secret(name.strip())]
    if named:
        rest = ",".join(name for name in listed if name not in named)
        yield _secret(setup, "env", f"env names {', '.join(named)}", rest)
    matched = [name for name in NAMES if regex is not None and regex.matches(name)]
    if matched:
        shown = ", ".join(matched[:3])
        yield _secret(setup, "env-regex", f"env-regex matches names such as {shown}", "")


def _secret(setup: Setup, option: str, message: str, rest: str) -> Finding:
    return setup.warning(
        "env-secrets",
        option,
        message,
        "their values are sent with every line, in plain text, and kept with it for as long as the line",
        "name the variables that are needed in env, one by one",
        setup.editor.set({option: rest}) if rest else setup.editor.remove(option),
    )


def _labels(setup: Setup, regex: goregex.Regex | None) -> Iterator[Finding]:
    """The service's label must be among those that travel, by name or by expression."""
    listed = names(setup.options.get("labels", ""))
    if any(label in listed or (regex is not None and regex.matches(label)) for label in SERVICE_LABELS):
        return
    given = bool(listed) or bool(setup.options.get("labels-regex"))
    message = "the labels that travel do not name the service" if given else "no label travels with the lines"
    yield setup.advice(
        "labels-none",
        "labels-regex",
        message,
        "logdock guesses the service from the container's name, and lines cannot be asked for by label",
        f'add "labels-regex": "{RECOMMENDED_LABELS}": compose and swarm, some 100 bytes a line'
        if "labels-regex" not in setup.options
        else f"let labels-regex match {SERVICE_LABELS[0]} too",
        setup.editor.set({"labels-regex": RECOMMENDED_LABELS})
        if not setup.options.get("labels-regex")
        else (),
    )
