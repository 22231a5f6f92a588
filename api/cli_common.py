"""What the asking commands share: the server's address, query flags, errors with an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from api import terminal

if TYPE_CHECKING:
    from api.client import Client, RefusedError

NO = 1  # the answer is no, or not found
USAGE = 2  # the question was wrong

SHORT_ID = 12  # digits of an id that are shown, as docker does

# also api.client.DEFAULT_SERVER, which costs an import of httpx (a test compares them)
DEFAULT_SERVER = "http://127.0.0.1:8080"


Params = dict[str, str | list[str]]  # of REST, by name


class CliError(Exception):
    """Ends the command with one line on stderr."""

    def __init__(self, message: str, exit_code: int = NO) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Output(StrEnum):
    """How answers are printed."""

    text = "text"
    json = "json"
    ndjson = "ndjson"


Server = Annotated[
    str, typer.Option("--server", envvar="LOGDOCK_SERVER", help="The server to ask: host:port or a URL.")
]
Format = Annotated[Output, typer.Option("--output", "-o", help="text, json or ndjson.")]
GoTemplate = Annotated[
    str | None,
    typer.Option("--format", metavar="TEMPLATE", help="A Go template, json, or table and a template."),
]
Service = Annotated[
    list[str] | None, typer.Option("--service", help="Only this service; repeatable: any of.")
]
Label = Annotated[
    list[str] | None, typer.Option("--label", help="key=value, or key for any value; repeatable: all of.")
]
Level = Annotated[
    list[str] | None,
    typer.Option("--level", help="trace, debug, info, warn, error or fatal; repeatable: any of."),
]
Grep = Annotated[
    str | None,
    typer.Option("--grep", "-q", help='Words, "quoted text", -without, OR, /regex/ or field:value.'),
]
Container = Annotated[
    list[str] | None, typer.Option("--container", help="Name, id or its start; repeatable: any of.")
]
Force = Annotated[bool, typer.Option("--force", "-f", help="Do not ask.")]
Host = Annotated[list[str] | None, typer.Option("--host", help="Only this Docker host; repeatable: any of.")]
Stream = Annotated[str | None, typer.Option("--stream", help="stdout or stderr.")]
Tag = Annotated[str | None, typer.Option("--tag", help="The log driver's tag, or its beginning and *.")]
Since = Annotated[
    str | None, typer.Option("--since", help="From then on: 15m, 2026-11-24T09:00:00Z, or Unix seconds.")
]
Until = Annotated[str | None, typer.Option("--until", help="Up to then: as --since.")]


def query_params(
    *,
    service: list[str] | None = None,
    label: list[str] | None = None,
    level: list[str] | None = None,
    grep: str | None = None,
    host: list[str] | None = None,
    stream: str | None = None,
    tag: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Params:
    """The flags of a question as REST parameters."""
    from api.cli_times import moment

    given: dict[str, str | list[str] | None] = {
        "service": service,
        "label": label,
        "level": level,
        "q": grep,
        "host": host,
        "stream": stream,
        "tag": tag,
        "since": moment(since) if since else None,
        "until": moment(until) if until else None,
    }
    return {name: value for name, value in given.items() if value}


_FILTERS = {
    "service": Service, "label": Label, "level": Level, "grep": Grep, "host": Host, "stream": Stream,
    "tag": Tag, "since": Since, "until": Until,
}  # fmt: skip


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with the flags of a question; it gets them as REST parameters, `params`."""
    own = [p for p in signature(command, eval_str=True).parameters.values() if p.name != "params"]
    flags = [Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=flag)
             for name, flag in _FILTERS.items()]  # fmt: skip

    def run(**given: Any) -> None:
        filters = {name: given.pop(name) for name in _FILTERS}
        command(params=query_params(**filters), **given)

    told = [*(p.replace(kind=Parameter.KEYWORD_ONLY) for p in own), *flags]
    run.__doc__ = command.__doc__
    run.__annotations__ = {p.name: p.annotation for p in told}
    run.__dict__["__signature__"] = Signature(told)
    return run


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table whose columns are as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def print_json(answer: dict[str, Any], output: Output) -> bool:
    """Print a list's answer as JSON or NDJSON; False when text is wanted."""
    if output is Output.json:
        write_json([answer])
    elif output is Output.ndjson:
        write_json(answer["items"])
    return output is not Output.text


def write_json(values: Iterable[Any]) -> None:
    """One JSON value a line to stdout, harmless on a terminal."""
    text = b"".join([orjson.dumps(value) + b"\n" for value in values])
    sys.stdout.write(terminal.json_for(sys.stdout, text).decode())


# REST's parameters that a flag gives: what is wrong with one is said of the flag
_FLAGS = {
    "q": "--grep", "container": "a container",
    **{name: f"--{name}" for name in (*_FILTERS, "by", "buckets", "reason", "limit")},
}  # fmt: skip


def _refusal(error: RefusedError) -> CliError:
    if error.status != 400:
        return CliError(str(error))
    flag, text = _FLAGS.get(error.parameter or ""), str(error)
    if flag is not None:
        text = f"{flag} {text}" if text.startswith("is ") else f"{flag}: {text}"
    return CliError(text, USAGE)


@contextmanager
def asking(server: str) -> Iterator[Client]:
    """A client whose errors end the command."""
    from api.client import Client, ClientError, RefusedError, WrongUseError

    try:
        with Client(server) as client:
            yield client
    except RefusedError as error:
        raise _refusal(error) from None
    except WrongUseError as error:
        raise CliError(str(error), USAGE) from None
    except ClientError as error:
        raise CliError(str(error)) from None
