"""`logdock logs`: what `docker logs` does, for containers and services, living or gone."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_common import (
    DEFAULT_SERVER,
    NO,
    USAGE,
    CliError,
    Format,
    GoTemplate,
    Output,
    Params,
    Server,
    asking,
    filtered,
)
from api.cli_context import After, Around, Before, Context, Prints, Scope, ScopeOption, sides
from api.cli_print import Printer
from api.cli_times import is_moment

if TYPE_CHECKING:
    from api.cli_format import Formatted
    from api.client import Client, Message

FIRST_PAUSE = 0.5  # seconds before a live tail connects again, doubled up to ...
LONGEST_PAUSE = 5.0  # ... this: a server that restarts is back within seconds
BUSY = (429, 502, 503, 504)  # refusals that time mends; two are a proxy's, whose server restarts
MAX_SEEN = 100_000  # ids kept to join history and tail: lines that arrived while history was printed


def register(app: typer.Typer) -> None:
    app.command("logs")(filtered(logs))


def logs(
    name: Annotated[
        str | None, typer.Argument(metavar="[CONTAINER|SERVICE]", help="Name, id or its start.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay and print new lines.")] = False,
    tail: Annotated[str, typer.Option("--tail", "-n", help="Only the newest N lines.", metavar="N")] = "all",
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Show times.")] = False,
    details: Annotated[bool, typer.Option("--details", help="Show labels.")] = False,
    context: Around = None,
    before: Before = None,
    after: After = None,
    scope: ScopeOption = None,
    template: GoTemplate = None,
    output: Format = Output.text,
    server: Server = DEFAULT_SERVER,
    *,
    params: Params,
) -> None:
    """Print lines, oldest first: all that is kept, or the newest N."""
    if follow and output is Output.json:
        raise CliError("a JSON document cannot end while -f goes on: use --output ndjson", 2)
    formatted = _formatted(template, output, follow, timestamps or details) if template else None
    around = sides(context, before, after, scope, follow)
    with asking(server) as client:
        one_container = False
        if name is not None:
            kind = kind_of(client, name)
            one_container = kind == "container"
            params = narrowed(params, kind, name)
        printer = formatted or Printer(
            output, timestamps=timestamps, details=details, names=not one_container
        )
        try:
            shown = Context(client, printer, params, around, scope or Scope.container) if around else printer
            history = _History(client, shown, params)
            history.print(count_of(tail))
            if follow:
                _follow(client, printer, params, history)
        finally:
            printer.close()
    if formatted:
        formatted.check()


def _formatted(template: str, output: Output, follow: bool, heads: bool) -> Formatted:
    from api.cli_dots import EVENTS
    from api.cli_format import Format, Formatted

    if output is not Output.text:
        raise CliError("--format and --output exclude each other", USAGE)
    if heads:
        raise CliError("--format and -t or --details exclude each other: name .Timestamp or .Labels", USAGE)
    form = Format(template, EVENTS)
    if form.is_table and follow:
        raise CliError("a table cannot be aligned while -f goes on: leave out `table`", USAGE)
    return Formatted(form)


def count_of(tail: str) -> int | None:
    """--tail as a number of lines; None is all. Docker takes anything that is no count as all."""
    return int(tail) if tail.isascii() and tail.isdigit() else None


def narrowed(params: Params, kind: str, name: str) -> Params:
    """`params` about this container or service only."""
    if kind in params:
        raise CliError(f"{name!r} is a {kind}: leave out --{kind}, or the name", 2)
    return {**params, kind: name}


def kind_of(client: Client, name: str) -> str:
    """Whether `name` is a container or a service: exact names first, then the start of a container's id."""
    from api.client import RefusedError

    if not name.strip():
        raise CliError("the name of the container or service is empty", USAGE)
    refused: RefusedError | None = None
    found: list[dict[str, Any]] = []
    try:
        found = client.get("/containers", {"container": name})["items"]
    except RefusedError as error:
        if error.status != 400:
            raise
        refused = error  # an ambiguous start of an id, which may still be a service's name
    if any(name in (item["name"], item["id"]) for item in found):
        return "container"
    answer = client.get("/services", {"service": name})
    if answer["items"]:
        return "service"
    if refused is not None:
        raise refused
    if found:
        return "container"
    raise CliError("; ".join([f"no container or service {name!r} was ever seen", *_hints(client, name)]), NO)


def _hints(client: Client, name: str) -> list[str]:
    notes = [note for key in ("container", "service") for note in client.get("/logs", {key: name})["notes"]]
    return [note for note in notes if note.startswith("did you mean")]


class _History:
    """Prints what is stored, and remembers where a live tail has to go on."""

    def __init__(self, client: Client, printer: Prints, params: Params) -> None:
        self._client = client
        self._printer = printer
        self._params = params
        self.resume: str | None = None
        self.seen: deque[str] = deque(maxlen=MAX_SEEN)

    def print(self, count: int | None) -> None:
        """All lines, or the newest `count`, oldest first."""
        if count is None:
            for page in self._client.pages("/logs", {**self._params, "order": "asc"}):
                self._printer.events(self._noted(page))
            return
        newest: list[dict[str, Any]] = []
        for page in self._client.pages("/logs", {**self._params, "order": "desc"}, limit=max(count, 1)):
            newest += self._noted(page)
        self._printer.events(newest[::-1] if count else [])

    def _noted(self, page: Mapping[str, Any]) -> list[dict[str, Any]]:
        if self.resume is None:
            self.resume = str(page["resume"])
        for note in page["notes"]:
            self._printer.note(note)
        if page["truncated_by"]:
            self._printer.note(f"not everything was searched: {page['truncated_by']}")
        events: list[dict[str, Any]] = page["events"]
        start = int(self.resume)
        self.seen.extend(event["id"] for event in events if event["offset"] > start)
        return events


def _follow(client: Client, printer: Printer | Formatted, params: Params, history: _History) -> None:
    """Live lines after the history, for ever; a lost connection is taken up where it broke.

    So is one that a server refuses because its store is away: that of a server which has just started may be.
    """
    from api.client import RefusedError, ServerDownError

    seen, resume, pause, was_told = set(history.seen), history.resume, FIRST_PAUSE, False
    while True:
        try:
            for message in client.tail(_live(params), resume):
                resume, pause, was_told = message.id or resume, FIRST_PAUSE, False
                if message.kind == "end":
                    return
                _show(message, printer, seen)
        except (ServerDownError, RefusedError) as error:
            if isinstance(error, RefusedError) and error.status not in BUSY:
                raise
            if not was_told:
                printer.note(f"{error} (still trying)", again=True)
            was_told = True
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def _live(params: Params) -> Params:
    """The filters on lines to come. A duration would mean another moment at each connection."""
    since = params.get("since")
    is_fixed = isinstance(since, str) and is_moment(since)
    return {name: value for name, value in params.items() if name != "since" or is_fixed}


def _show(message: Message, printer: Printer | Formatted, seen: set[str]) -> None:
    if message.kind == "log" and message.data["id"] not in seen:
        printer.events([message.data])
    elif message.kind == "dropped":
        told = f"{message.data['dropped']} lines came faster than they were read and are not shown here"
        printer.note(told, again=True)
    elif message.kind == "gap":
        printer.note("lines between the last one shown and the next are no longer kept", again=True)
