"""`logdock doctor`: what is wrong with a daemon.json as a logging set-up, why, and the corrected file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from api import terminal
from api.cli_common import DEFAULT_SERVER, NO, USAGE, CliError, Format, Output, Server

if TYPE_CHECKING:
    from api.doctor.compose import Compose
    from api.doctor.engine import Engine
    from api.doctor.examine import Context, Examined
    from api.doctor.findings import Finding
    from api.doctor.report import Report

DEFAULT_FILE = "/etc/docker/daemon.json"
STDIN = "-"


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help=f"The file, or - for stdin; {DEFAULT_FILE} by default."),
    ] = None,
    compose: Annotated[
        str | None, typer.Option("--compose", help="A compose file, for the logging of its services.")
    ] = None,
    docker_version: Annotated[
        str | None,
        typer.Option("--docker-version", help="Judge for this engine, such as 26.1, and ask none."),
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Print the corrected file, and nothing else.")] = False,
    write: Annotated[
        bool,
        typer.Option("--write", help="Replace the file by the corrected one; FILE.bak keeps the old one."),
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Send a line through the target, and ask --server for it.")
    ] = False,
    output: Format = Output.text,
    server: Server = DEFAULT_SERVER,
) -> int:
    """Say what is wrong with a daemon.json as a logging set-up, why, and how the file should be."""
    if write and (file == STDIN or fix):
        raise CliError("--write replaces a file: name one, and leave --fix out", USAGE)
    data = _read(file, needed=compose is None)
    name = "stdin" if file == STDIN else file or DEFAULT_FILE
    if file is None and not Path(name).exists():
        name += " (which is not there)"
    report, context, examined = _report(name, data, compose, docker_version)
    if live:
        report = _lived(report, context, examined, compose, server)
    if fix:
        return _print_fixed(report)
    if write:
        _write(Path(name), report)
    _print(report, output)
    return NO if _is_left(report, write) else 0


def _is_left(report: Report, written: bool) -> bool:
    """Errors and warnings that are there still, when the file may just have been corrected."""
    return any(
        finding.counts
        and not (written and finding.file == report.file and not finding.code.startswith("live-"))
        for finding in report.findings
    )


def _read(file: str | None, needed: bool) -> bytes:
    """The bytes of FILE. Without one, dockerd runs on its defaults, which a compose file may rely on."""
    from api.doctor.document import MAX_BYTES

    try:
        if file == STDIN:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file or DEFAULT_FILE).open("rb") as opened:
                data = opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        if file is None and not needed:
            return b"{}"
        raise CliError(_missing(file), USAGE) from None
    except OSError as error:
        raise CliError(f"{file or DEFAULT_FILE} cannot be read: {error.strerror}", USAGE) from None
    if len(data) > MAX_BYTES:
        raise CliError(
            f"{file or DEFAULT_FILE} is larger than {MAX_BYTES} bytes: is it a daemon.json?", USAGE
        )
    return data


def _missing(file: str | None) -> str:
    if file is not None:
        return f"there is no file {file}: check the path"
    return (
        f"there is no {DEFAULT_FILE}, so Docker keeps its logs to itself: "
        f"`echo {{}} | logdock doctor --fix - > {DEFAULT_FILE}` makes one that sends them to logdock"
    )


def _report(
    name: str, data: bytes, compose_file: str | None, docker_version: str | None
) -> tuple[Report, Context, Examined]:
    from api.doctor import fix
    from api.doctor.examine import Context, examine, examine_compose, sorted_findings
    from api.doctor.report import Report

    compose, broken, text = _compose(compose_file)
    context = Context(_engine(docker_version), compose)
    examined = examine(data, context, name)
    findings = (*examined.findings, *broken, *examine_compose(examined, context, compose_file or ""))
    texts = {name: examined.document.text.split("\n"), compose_file or "": text.split("\n")}
    correction = fix.correct(examined, context)
    report = Report(
        name, context.engine, sorted_findings(findings), correction, examined.document.text, texts
    )
    return report, context, examined


def _engine(docker_version: str | None) -> Engine:
    from api.doctor import engine

    if docker_version is None:
        return engine.find()
    try:
        return engine.told(docker_version)
    except ValueError as error:
        raise CliError(f"--docker-version: {error}", USAGE) from None


def _compose(file: str | None) -> tuple[Compose | None, tuple[Finding, ...], str]:
    """(what it says, what is wrong with it as a text, the text)."""
    from dataclasses import replace

    from api.doctor import compose, rules_compose

    if file is None:
        return None, (), ""
    try:
        with Path(file).open("rb") as opened:
            data = opened.read(compose.MAX_BYTES + 1)
    except OSError as error:
        raise CliError(f"--compose {file} cannot be read: {error.strerror}", USAGE) from None
    if len(data) > compose.MAX_BYTES:
        raise CliError(f"--compose {file} is larger than {compose.MAX_BYTES} bytes", USAGE)
    text = data.decode("utf-8", "replace")
    try:
        return compose.load(text), (), text
    except compose.ComposeError as error:
        return None, (replace(rules_compose.syntax(error), file=file),), text


def _lived(
    report: Report, context: Context, examined: Examined, compose_file: str | None, server: str
) -> Report:
    """The report with what happened to a line through each target."""
    from dataclasses import replace

    from api.doctor import live, rules_compose
    from api.doctor.examine import sorted_findings

    setups = [(report.file, examined.setup)]
    if context.compose is not None:
        services = [service for service in context.compose.services if service.logging is not None]
        setups += [
            (compose_file or "", rules_compose.setup_of(service, examined.setup)) for service in services
        ]
    trials = live.try_all(setups, server)
    found = [finding for trial in trials for finding in trial.findings]
    return replace(report, findings=sorted_findings((*report.findings, *found)), trials=trials)


def _print_fixed(report: Report) -> int:
    """The corrected file alone on stdout, so that it can be sent to a file; the rest on stderr."""
    if report.correction.text is None:
        raise CliError(_hopeless(report), NO)
    sys.stdout.flush()
    sys.stdout.buffer.write(report.correction.text.encode("utf-8", "replace"))
    return 0


def _hopeless(report: Report) -> str:
    """One line about what a person has to decide."""
    left = report.correction.left
    if not left:
        return f"{report.file} cannot be corrected: see logdock doctor {report.file}"
    first = left[0]
    more = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
    return (
        f"{report.file} cannot be corrected without you: {first.code}: "
        f"{terminal.escape(first.message)}{more}; {terminal.escape(first.fix)}"
    )


def _write(path: Path, report: Report) -> None:
    from api.doctor.replace import replace_file

    if report.correction.text is None:
        raise CliError(_hopeless(report), NO)
    if report.correction.text == report.text:
        return
    try:
        backup = replace_file(path, report.correction.text.encode("utf-8", "replace"))
    except OSError as error:
        raise CliError(f"{path} cannot be replaced: {error.strerror}; it is as it was", NO) from None
    print(f"logdock: {path} is corrected; the old one is {backup}", file=sys.stderr)


def _print(report: Report, output: Output) -> None:
    from api.doctor.report import as_json, as_text, findings_as_json

    if output is Output.text:
        sys.stdout.write(as_text(report, terminal.wants_colour(sys.stdout), sys.stdout.isatty()))
    elif output is Output.ndjson:
        sys.stdout.write("".join(orjson.dumps(found).decode() + "\n" for found in findings_as_json(report)))
    else:
        sys.stdout.write(orjson.dumps(as_json(report)).decode() + "\n")
