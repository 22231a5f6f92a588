"""`logdock prune`: remove lines for good, chosen as docker's own prune commands choose."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from api import terminal
from api.cli_common import (
    DEFAULT_SERVER,
    SHORT_ID,
    USAGE,
    CliError,
    Container,
    Force,
    Format,
    Output,
    Server,
    Service,
    asking,
    columns,
    print_json,
)
from api.cli_times import moment
from api.terminal import one_line
from api.units import human_size

if TYPE_CHECKING:
    from api.client import Client

FILTERS = ("until", "label", "label!", "service", "container")
PREVIEW = 10  # containers shown before the question
PROGRESS_SECONDS = 1.0

HEADERS = ("CONTAINER ID", "NAME", "SERVICE", "LINES", "FIRST LINE", "LAST LINE")
HISTORY = ("REMOVED", "REASON", "STATE", "LINES", "SIZE", "FIRST LINE", "LAST LINE", "SELECTION")

Until = Annotated[
    str | None,
    typer.Option("--until", help="Only lines taken in before: 240h, 30d, a time, or Unix seconds."),
]
Label = Annotated[
    list[str] | None,
    typer.Option("--label", help="key or key=value, or key!=value for those without; repeatable: all of."),
]
Filter = Annotated[
    list[str] | None,
    typer.Option("--filter", help="As docker takes it: until=240h, label=k=v, label!=k=v; repeatable."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")]
History = Annotated[bool, typer.Option("--history", help="Show what was removed so far.")]

Body = dict[str, Any]


def register(app: typer.Typer) -> None:
    app.command("prune")(prune)


def prune(
    until: Until = None,
    label: Label = None,
    service: Service = None,
    container: Container = None,
    filters: Filter = None,
    dry_run: DryRun = False,
    force: Force = False,
    history: History = False,
    output: Format = Output.text,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Remove lines for good: by age, label, service and container."""
    body = _body(until, label, service, container, filters)
    with asking(server) as client:
        if history:
            _history(client.get("/prune"), output)
            return
        if not body:
            flags = "--until, --label, --service, --container or --filter"
            raise CliError(f"say what may go: at least one of {flags}", USAGE)
        if dry_run or not force:
            shown = client.post("/prune", {**body, "dry_run": True})
            if dry_run:
                _print(shown, output)
                return
            if not _agreed(shown):
                raise CliError("nothing was removed")
            body["at"] = shown["at"]
        with _progress(client):
            answer = client.post("/prune", body, seconds=None)
    _print(answer, output)


def _body(
    until: str | None,
    label: list[str] | None,
    service: list[str] | None,
    container: list[str] | None,
    filters: list[str] | None,
) -> Body:
    """The filters as REST takes them."""
    pairs = [("until", until)] if until is not None else []
    pairs += [_label(text) for text in label or ()]
    pairs += [("service", text) for text in service or ()] + [("container", text) for text in container or ()]
    pairs += [_filter(text) for text in filters or ()]
    body: Body = {}
    for name, value in pairs:
        body.setdefault(name, []).append(moment(value) if name == "until" else value)
    return body


def _label(text: str) -> tuple[str, str]:
    """`key!=value` is what docker writes as the filter `label!=key=value`."""
    key, different, value = text.partition("!=")
    return ("label!", f"{key}={value}") if different and "=" not in key else ("label", text)


def _filter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CliError(f"--filter {text!r} has no value: write it like until=240h", USAGE)
    if name not in FILTERS:
        raise CliError(f"--filter {name!r} does not exist; there are {', '.join(FILTERS)}", USAGE)
    return name, value


def _agreed(shown: Body) -> bool:
    """Ask as docker does: also a pipe may answer, and its end is a no."""
    if not shown["lines"]:
        return True  # nothing to be sorry for; the answer says why
    _say(shown, "This will remove")
    print("Are you sure you want to continue? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _say(answer: Body, verb: str) -> None:
    for line in _text(answer, verb, PREVIEW):
        print(line, file=sys.stderr)


def _print(answer: Body, output: Output) -> None:
    for note in answer["notes"]:
        print(f"logdock: {terminal.escape(note)}", file=sys.stderr)
    if output is not Output.text:
        print(orjson.dumps(answer).decode())
        return
    for line in _text(answer, "Would remove" if answer["dry_run"] else "Removed", None):
        print(line)


def _text(answer: Body, verb: str, most: int | None) -> Iterator[str]:
    """What goes or has gone: a sentence, and its containers."""
    lines, size = answer["lines"], answer["bytes"]
    told = "1 line" if lines == 1 else f"{lines:,} lines"
    if not lines:
        yield f"{verb} {told}"
        return
    freed = f", {'about ' * answer['dry_run']}{human_size(size)}" if size is not None else ""
    yield f"{verb} {told} from {_time(answer['first'])} to {_time(answer['last'])}{freed}"
    containers = answer["containers"][:most]
    yield from columns([HEADERS, *map(_row, containers)])
    left = len(answer["containers"]) - len(containers) + answer["more_containers"]
    if left:
        yield f"and {left} containers more"


def _row(part: Body) -> tuple[str, ...]:
    cells = ((part["id"] or "-")[:SHORT_ID], part["name"] or "-", part["service"] or "-", f"{part['lines']}")
    return (*map(one_line, cells), _time(part["first"]), _time(part["last"]))


def _history(answer: Body, output: Output) -> None:
    if not print_json(answer, output):
        print("\n".join(columns([HISTORY, *map(_removal, answer["items"])])))


def _removal(item: Body) -> tuple[str, ...]:
    size = "-" if item["bytes"] is None else human_size(item["bytes"])
    first, last = _time(item["first"]), _time(item["last"])
    cells = (item["reason"], item["state"], f"{item['lines']}", size, first, last, item["selection"] or "-")
    return (_time(item["at"]), *map(one_line, cells))


def _time(text: str) -> str:
    return text[:19] + "Z"


@contextmanager
def _progress(client: Client) -> Iterator[None]:
    """On a terminal, how many lines are gone so far, while a long prune runs."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_tell, args=(client, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _tell(client: Client, done: threading.Event) -> None:
    from api.client import ClientError

    told = False
    while not done.wait(PROGRESS_SECONDS):
        try:
            items = client.get("/prune")["items"]
        except ClientError:
            continue  # whoever waits for the answer is told
        lines = next((item["lines"] for item in items if item["state"] == "running"), None)
        if lines is not None:
            print(f"\r{lines:,} lines ...", end="", file=sys.stderr, flush=True)
            told = True
    if told:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
