"""`logdock tag`: is this tag template readable backwards, and what does a tag made by it say?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from api import terminal
from api.cli_common import NO, USAGE, CliError, Format, Output

if TYPE_CHECKING:
    from parsers.tag import Reading, TagTemplate


def register(app: typer.Typer) -> None:
    app.command("tag")(tag)


def tag(
    template: Annotated[
        str, typer.Argument(help="The log driver's tag option, such as '{{.Name}}/{{.ID}}'.")
    ],
    text: Annotated[str | None, typer.Argument(metavar="[TAG]", help="A tag to read with it.")] = None,
    output: Format = Output.text,
) -> None:
    """Compile a tag template; read a tag backwards through it."""
    compiled = _compiled(template)
    if text is None:
        return _print_template(compiled, output)
    reading = compiled.read(text)
    if reading is None:
        raise CliError(f"{template!r} cannot have made the tag {text!r}: check both", NO)
    return _print_reading(reading, output)


def _compiled(template: str) -> TagTemplate:
    from parsers.gotemplate import TemplateError
    from parsers.tag import TagTemplate

    try:
        return TagTemplate.compile(template)
    except TemplateError as error:
        raise CliError(f"{template!r}: {error}", USAGE) from None


def _print_template(compiled: TagTemplate, output: Output) -> None:
    from parsers.gotemplate import Field

    names = [node.name for node in compiled.nodes if isinstance(node, Field)]
    if output is Output.text:
        print(f"good: a tag gives {', '.join(names) or 'no fields'}")
    else:
        print(orjson.dumps({"fields": names}).decode())


def _print_reading(reading: Reading, output: Output) -> None:
    if output is not Output.text:
        found = {"fields": dict(reading.fields), "ambiguous": list(reading.ambiguous)}
        print(orjson.dumps(found).decode())
        return
    for name, value in reading.fields.items():
        print(f"{name}={terminal.escape(value) if sys.stdout.isatty() else value}")
    if reading.ambiguous:
        print(f"logdock: several readings are possible for {', '.join(reading.ambiguous)}", file=sys.stderr)
