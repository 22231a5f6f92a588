"""`logdock ps`: the containers that were seen, living or gone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api import terminal
from api.cli_common import (
    DEFAULT_SERVER,
    SHORT_ID,
    USAGE,
    CliError,
    Format,
    GoTemplate,
    Host,
    Label,
    Output,
    Server,
    Service,
    asking,
    columns,
    print_json,
    query_params,
)

if TYPE_CHECKING:
    from api.cli_format import Formatted

HEADERS = (
    "CONTAINER ID", "NAME", "SERVICE", "PROJECT", "REPLICA", "IMAGE", "HOST",
    "FIRST LINE", "LAST LINE", "LINES",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    app.command("ps")(ps)


def ps(
    service: Service = None,
    label: Label = None,
    host: Host = None,
    template: GoTemplate = None,
    no_trunc: Annotated[bool, typer.Option("--no-trunc", help="Whole ids and image names.")] = False,
    output: Format = Output.text,
    server: Server = DEFAULT_SERVER,
) -> None:
    """List containers seen, living or gone, the latest first."""
    printer = _formatted(template, no_trunc, output) if template else None
    with asking(server) as client:
        answer = client.get("/containers", query_params(service=service, label=label, host=host))
    for note in answer["notes"]:
        print(f"logdock: {terminal.escape(note)}", file=sys.stderr)
    if printer is None:
        return _print(answer, output, None if no_trunc else SHORT_ID)
    printer.events(answer["items"])
    printer.close()
    return printer.check()


def _formatted(template: str, no_trunc: bool, output: Output) -> Formatted:
    from api.cli_dots import CONTAINERS
    from api.cli_format import Format, Formatted

    if output is not Output.text:
        raise CliError("--format and --output exclude each other", USAGE)
    return Formatted(Format(template, CONTAINERS), no_trunc)


def _print(answer: dict[str, Any], output: Output, id_length: int | None) -> None:
    if print_json(answer, output):
        return
    rows = [_row(item, id_length) for item in answer["items"]]
    header, *lines = columns([HEADERS, *rows])
    print("\n".join([terminal.bold(header) if terminal.wants_colour(sys.stdout) else header, *lines]))


def _row(item: dict[str, Any], id_length: int | None) -> tuple[str, ...]:
    detail = item["service_detail"] or {}
    cells = (
        (item["id"] or "-")[:id_length],
        item["name"] or "-",
        item["service"] or "-",
        detail.get("project") or "-",
        _replica(detail, id_length),
        item["image"] or "-",
        item["host"],
        _local(item["first_seen"]),
        _local(item["last_seen"]),
        str(item["lines"]),
    )
    return tuple(map(terminal.one_line, cells))


def _replica(detail: Mapping[str, str], id_length: int | None) -> str:
    """Which of its service's containers: the number, a node's id, or what else it is."""
    kind = detail.get("kind", "service")
    return detail.get("replica", "-")[:id_length] if kind == "service" else kind


def _local(moment: str) -> str:
    """A time of day as people read it, in their own zone."""
    seconds = datetime.fromisoformat(moment[:19] + "+00:00")
    return seconds.astimezone().strftime("%Y-%m-%d %H:%M:%S")
