"""All rules over a daemon.json, and over the services of a compose file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from api.doctor import (
    rules_address,
    rules_compose,
    rules_document,
    rules_driver,
    rules_fields,
    rules_fluentd,
    rules_gelf,
    rules_keys,
    rules_options,
    rules_ring,
    rules_start,
    rules_tag,
    rules_values,
)
from api.doctor.compose import Compose
from api.doctor.daemon import setup_of
from api.doctor.document import Document, decode
from api.doctor.engine import Engine
from api.doctor.findings import ORDER, Finding
from api.doctor.reader import read
from api.doctor.resolve import resolves
from api.doctor.setup import Setup
from api.doctor.versions import OLDEST, Version

RULES = (
    rules_driver.check,
    rules_driver.check_others,
    rules_options.check,
    rules_values.check,
    rules_address.check,
    rules_ring.check,
    rules_fluentd.check,
    rules_gelf.check,
    rules_start.check,
    rules_fields.check,
    rules_tag.check,
)


@dataclass(frozen=True)
class Context:
    """What rules know beside the file: the engine, a compose file, and how names are resolved."""

    engine: Engine
    compose: Compose | None = None
    resolves: Callable[[str], bool | None] = resolves


@dataclass(frozen=True)
class Examined:
    """A daemon.json with what was found. `findings` stand in the order of the rules."""

    document: Document
    setup: Setup
    findings: tuple[Finding, ...]


def examine(data: bytes | str, context: Context, file: str = "") -> Examined:
    """Never raises, whatever the data."""
    version = max(context.engine.version, OLDEST)
    document, findings = _document(data, version)
    compose = context.compose
    setup = setup_of(
        document,
        context.engine,
        compose.names if compose is not None else frozenset(),
        context.resolves,
        compose is not None and rules_compose.covered(compose),
    )
    findings += rules_document.check(document, version)
    if not document.broken and (document.root is None or document.root.kind in ("object", "null")):
        findings += rules_keys.check(document, version)
        findings += rules_driver.check_values(setup, document)
        findings += check(setup)
    return Examined(document, setup, tuple(replace(finding, file=file) for finding in findings))


def examine_compose(examined: Examined, context: Context, file: str) -> tuple[Finding, ...]:
    """What is wrong with the services of the compose file, beside what daemon.json has wrong."""
    if context.compose is None:
        return ()
    found = rules_compose.check(context.compose, examined.setup, examined.findings, check)
    return tuple(replace(finding, file=file) for finding in found)


def check(setup: Setup) -> Iterator[Finding]:
    """What the rules say of one set-up."""
    for rule in RULES:
        yield from rule(setup)


def _document(data: bytes | str, version: Version) -> tuple[Document, list[Finding]]:
    if isinstance(data, str):
        return read(data), []
    try:
        text, encoding, bom = decode(data)
    except UnicodeDecodeError as error:
        broken = read(data.decode("utf-8", "replace"))
        return broken, [rules_document.undecodable(error, version)]
    return replace(read(text), encoding=encoding, bom=bom), []


def sorted_findings(findings: tuple[Finding, ...]) -> list[Finding]:
    """The worst first, then by file and place."""
    return sorted(findings, key=lambda f: (ORDER[f.severity], f.file, f.line, f.column, f.code))
