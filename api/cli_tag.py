"""`logdock tag`: is this tag template readable backwards, and what does a tag made by it say?"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from api import terminal
from api.cli_common import NO, USAGE, CliError, Format, Output

if TYPE_CHECKING:
    from parsers.inversion.judge import Verdict
    from parsers.inversion.readings import Reading
    from parsers.tag import TagTemplate


def register(app: typer.Typer) -> None:
    app.command("tag")(tag)


def tag(
    template: Annotated[
        str, typer.Argument(help="The log driver's tag option, such as '{{.Name}}/{{.ID}}'.")
    ],
    text: Annotated[str | None, typer.Argument(metavar="[TAG]", help="A tag to read with it.")] = None,
    container_id: Annotated[
        str | None, typer.Option("--id", help="The container's full id, when it is known.", metavar="ID")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="The container's name, when it is known.", metavar="NAME")
    ] = None,
    output: Format = Output.text,
) -> None:
    """Compile a tag template and say whether it is ambiguous; read a tag backwards through it."""
    compiled = _compiled(template)
    if text is None:
        return _print_template(compiled, output)
    known = {"FullID": container_id, "Name": name.removeprefix("/") if name else None}
    reading = compiled.invert(text, {field: value for field, value in known.items() if value})
    if reading is None:
        raise CliError(f"{template!r} cannot have made the tag {text!r}: check both", NO)
    return _print_reading(reading, output)


def _compiled(template: str) -> TagTemplate:
    from parsers.tag import TagTemplate, TemplateError

    try:
        return TagTemplate.compile(template)
    except TemplateError as error:
        docker = "" if error.docker in str(error) else f"; Docker says: {error.docker}"
        raise CliError(f"{template!r}: {error}{docker}".replace("\n", "\\n"), USAGE) from None


def _print_template(compiled: TagTemplate, output: Output) -> None:
    from parsers.inversion.judge import judge

    verdict = judge(compiled)
    paths = [path for path in compiled.symbolic.paths if path]
    if output is Output.text:
        _say_verdict(verdict, paths)
    else:
        print(orjson.dumps({"fields": paths, **_verdict(verdict)}).decode())


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "ambiguous": [dict(one) for one in verdict.readings],
        "counterexample": verdict.counterexample,
        "settled_by_record": verdict.settled,
        "better": verdict.better,
        "warnings": [concern.text for concern in verdict.concerns],
    }


def _say_verdict(verdict: Verdict, paths: list[str]) -> None:
    word = "ambiguous" if verdict.is_ambiguous else "good"
    print(f"{word}: a tag gives {', '.join(paths) or 'no fields'}")
    if verdict.counterexample is not None:
        print(f"the tag {_shown(verdict.counterexample)} can be read as")
        _print_readings(verdict.readings)
        if verdict.settled:
            print("the container's id and name, which Docker sends beside the tag, decide between them")
        if verdict.better:
            print(f"better: {shlex.quote(verdict.better)}")
    for concern in verdict.concerns:
        print(f"logdock: {terminal.escape(concern.text)}", file=sys.stderr)


def _print_readings(readings: tuple[Mapping[str, str], ...]) -> None:
    for one in readings:
        pairs = ", ".join(f"{name}={_shown(value)}" for name, value in one.items())
        print(f"    {pairs or 'none of these fields'}")


def _print_reading(reading: Reading, output: Output) -> None:
    if output is not Output.text:
        found = {
            "fields": dict(reading.fields),
            "ambiguous": [{**reading.fields, **one} for one in reading.ambiguous],
            "more": reading.more,
            "partial": dict(reading.partial),
        }
        print(orjson.dumps(found).decode())
        return
    for name, value in reading.fields.items():
        print(f"{name}={terminal.escape(value) if sys.stdout.isatty() else value}")
    for expression, value in reading.partial.items():
        print(f"{expression} = {_shown(value)}")
    if reading.ambiguous or reading.more:
        print("logdock: several readings are possible:", file=sys.stderr)
        for one in reading.ambiguous:
            pairs = ", ".join(f"{name}={_shown(value)}" for name, value in one.items())
            print(f"logdock:     {pairs or 'none of these fields'}", file=sys.stderr)
        if reading.more:
            print("logdock:     and more", file=sys.stderr)


def _shown(value: str) -> str:
    return terminal.escape(value).replace("\n", "\\n")
