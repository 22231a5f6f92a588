"""`logdock export`: everything that matches, one JSON object a line."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from api import terminal
from api.cli_common import (
    DEFAULT_SERVER,
    Grep,
    Host,
    Label,
    Level,
    Server,
    Service,
    Since,
    Stream,
    Tag,
    Until,
    asking,
    query_params,
)

Container = Annotated[
    list[str] | None, typer.Option("--container", help="Name, id or its start; repeatable: any of.")
]


def register(app: typer.Typer) -> None:
    app.command("export")(export)


def export(
    container: Container = None,
    service: Service = None,
    label: Label = None,
    level: Level = None,
    grep: Grep = None,
    host: Host = None,
    stream: Stream = None,
    tag: Tag = None,
    since: Since = None,
    until: Until = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Write every matching line as NDJSON, oldest first, without limit."""
    params = query_params(
        service=service,
        label=label,
        level=level,
        grep=grep,
        host=host,
        stream=stream,
        tag=tag,
        since=since,
        until=until,
    )
    if container:
        params["container"] = container
    with asking(server) as client:
        for chunk in client.export(params, _note):
            sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _note(text: str) -> None:
    print(f"logdock: {terminal.escape(text)}", file=sys.stderr)
