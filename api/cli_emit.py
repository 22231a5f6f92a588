"""`logdock emit`: sends lines as Docker's fluentd driver would, to see the pipe work end to end.

The record has the shape of daemon/logger/fluentd/fluentd.go: container_id, container_name with its slash,
source, log, and every label as a key of its own.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from api.address import Address, parse_address
from api.cli_common import DEFAULT_SERVER, USAGE, CliError, Server, asking

if TYPE_CHECKING:
    from fluent.sender import FluentSender

DEFAULT_FORWARD = "127.0.0.1:24224"
CHECK_SECONDS = 10.0  # a line is answered some tens of milliseconds after it was sent
CHECK_PAUSE = 0.1
SEND_SECONDS = 5.0


def register(app: typer.Typer) -> None:
    app.command("emit")(emit)


def emit(
    text: Annotated[str | None, typer.Argument(help="The line; without it, every line of stdin.")] = None,
    forward: Annotated[
        str, typer.Option("--forward", help="The forward input: host:port or unix:///path.")
    ] = DEFAULT_FORWARD,
    container_name: Annotated[
        str, typer.Option("--container-name", help="The container to be.")
    ] = "logdock-emit",
    container_id: Annotated[
        str | None, typer.Option("--container-id", help="64 hex digits; random when left out.")
    ] = None,
    label: Annotated[list[str] | None, typer.Option("--label", help="key=value; repeatable.")] = None,
    tag: Annotated[
        str | None, typer.Option("--tag", help="The tag; the id's first 12 digits when left out.")
    ] = None,
    stream: Annotated[str, typer.Option("--stream", help="stdout or stderr.")] = "stdout",
    check: Annotated[
        bool, typer.Option("--check", help="Wait until the server answers with every line.")
    ] = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Send a line, or stdin, the way Docker's fluentd log driver does."""
    if stream not in ("stdout", "stderr"):
        raise CliError(f"--stream {stream}: write stdout or stderr", USAGE)
    identity = container_id or secrets.token_hex(32)
    shared: dict[str, str | bytes] = {**_labels(label or [])}
    shared |= {"container_id": identity, "container_name": f"/{container_name}", "source": stream}
    sender = _sender(tag or identity[:12], _address(forward))
    count = 0
    for line in [os.fsencode(text)] if text is not None else sys.stdin.buffer:
        _send(sender, {**shared, "log": _log(line.removesuffix(b"\n"))}, forward)
        count += 1
    sender.close()
    print(f"sent {count} lines as container {container_name} {identity[:12]} to {forward}")
    if check:
        _check(server, identity, count)


def _log(line: bytes) -> str | bytes:
    """The line as msgpack takes it. One that is not UTF-8 goes as it is, as Docker sends it."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line


def _address(text: str) -> Address:
    try:
        return parse_address(text)
    except ValueError as error:
        raise CliError(f"--forward: {error}", USAGE) from None


def _labels(texts: list[str]) -> dict[str, str]:
    labels = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not key or not separator:
            raise CliError(f"--label {text}: write key=value", USAGE)
        labels[key] = value
    return labels


def _sender(tag: str, address: Address) -> FluentSender:
    from fluent.sender import FluentSender

    host = f"unix://{address.path}" if address.kind == "unix" else address.host
    return FluentSender(tag, host=host, port=address.port, timeout=SEND_SECONDS, nanosecond_precision=True)


def _send(sender: FluentSender, record: dict[str, str | bytes], forward: str) -> None:
    from fluent.sender import EventTime

    if sender.emit_with_time(None, EventTime(time.time()), record):
        return
    error = sender.last_error
    raise CliError(
        f"nothing takes lines at {forward} ({error}): start the server with `logdock serve`, "
        "or name its address with --forward"
    )


def _check(server: str, identity: str, count: int) -> None:
    """Ends the command with an error unless the server answers with all lines in time."""
    params: dict[str, str | int] = {"container": identity, "limit": min(count + 1, 10_000)}
    deadline = time.monotonic() + CHECK_SECONDS
    with asking(server) as client:
        while True:
            found = len(client.get("/logs", params)["events"])
            if found >= min(count, 10_000):
                print(f"the server answers with all of them: logdock logs {identity[:12]}")
                return
            if time.monotonic() > deadline:
                raise CliError(
                    f"after {CHECK_SECONDS:.0f} s the server answers with {found} of {count} lines: "
                    "is it the one behind --forward? its /readyz and its log say more"
                )
            time.sleep(CHECK_PAUSE)
