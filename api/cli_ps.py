"""`logdock ps`: the containers that were seen, living or gone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
import typer

from api import terminal
from api.cli_common import DEFAULT_SERVER, Format, Host, Label, Output, Server, Service, asking, query_params

HEADERS = ("CONTAINER ID", "NAME", "SERVICE", "IMAGE", "HOST", "FIRST LINE", "LAST LINE", "LINES")


def register(app: typer.Typer) -> None:
    app.command("ps")(ps)


def ps(
    service: Service = None,
    label: Label = None,
    host: Host = None,
    output: Format = Output.text,
    server: Server = DEFAULT_SERVER,
) -> None:
    """List containers seen, living or gone, the latest first."""
    with asking(server) as client:
        answer = client.get("/containers", query_params(service=service, label=label, host=host))
    items = answer["items"]
    if output is Output.json:
        print(orjson.dumps(answer).decode())
    elif output is Output.ndjson:
        sys.stdout.write("".join(orjson.dumps(item).decode() + "\n" for item in items))
    elif sys.stdout.isatty():
        _table([_row(item) for item in items])
    else:
        _plain([HEADERS, *[_row(item) for item in items]])
    for note in answer["notes"]:
        print(f"logdock: {terminal.escape(note)}", file=sys.stderr)


def _row(item: dict[str, Any]) -> tuple[str, ...]:
    cells = (
        (item["id"] or "-")[:12],
        item["name"] or "-",
        item["service"] or "-",
        item["image"] or "-",
        item["host"],
        _local(item["first_seen"]),
        _local(item["last_seen"]),
        str(item["lines"]),
    )
    return tuple(terminal.escape(cell).replace("\n", "\\n").replace("\t", "\\t") for cell in cells)


def _local(moment: str) -> str:
    """A time of day as people read it, in their own zone."""
    seconds = datetime.fromisoformat(moment[:19] + "+00:00")
    return seconds.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _plain(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADERS))]
    for row in rows:
        print("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _table(rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in HEADERS:
        table.add_column(header, justify="right" if header == "LINES" else "left", no_wrap=header != "IMAGE")
    for row in rows:
        table.add_row(*[Text(cell) for cell in row])  # Text: names are not markup
    Console().print(table)
