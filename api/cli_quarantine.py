"""`logdock quarantine`: what the store refused for good; offer it again, or throw it away."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from api import terminal
from api.cli_common import (
    DEFAULT_SERVER,
    NO,
    SHORT_ID,
    USAGE,
    CliError,
    Container,
    Force,
    Format,
    Output,
    Server,
    Service,
    Since,
    Until,
    asking,
    columns,
    print_json,
    query_params,
)
from api.terminal import one_line

MESSAGE_CHARACTERS = 60  # of a line in the table; `--output json` has it whole
HEADERS = ("QUARANTINED", "REASON", "TRIES", "CONTAINER", "ID", "MESSAGE")
PAGE = 1000

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, as list prints them.")]
All = Annotated[bool, typer.Option("--all", help="Everything in quarantine.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Only what was refused for this reason.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Events at most.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help=__doc__, no_args_is_help=True)
    group.command("list")(listed)
    group.command("retry")(retry)
    group.command("drop")(drop)
    app.add_typer(group, name="quarantine")


def listed(
    reason: Reason = None,
    container: Container = None,
    service: Service = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    output: Format = Output.text,
    server: Server = DEFAULT_SERVER,
) -> None:
    """List what is in quarantine, oldest first, and why it was refused."""
    params = query_params(service=service, since=since, until=until)
    if container:
        params["container"] = container
    if reason:
        params["reason"] = reason
    answer: dict[str, Any] = {"items": [], "next": None}
    with asking(server) as client:
        while True:
            size = {"limit": str(min(PAGE, limit - len(answer["items"])))}
            cursor = {"cursor": answer["next"]} if answer["next"] else {}
            page = client.get("/quarantine", {**params, **size, **cursor})
            answer = {**page, "items": answer["items"] + page["items"]}
            if page["next"] is None or len(answer["items"]) >= limit:
                break
    _print(answer, output)


def _print(answer: dict[str, Any], output: Output) -> None:
    if print_json(answer, output):
        return
    _table(answer["items"])
    if answer["next"] is not None:
        more = f"there are more: {answer['total']} in all; see --limit, or narrow what you ask for"
        print(f"logdock: {more}", file=sys.stderr)


def _table(items: list[dict[str, Any]]) -> None:
    """What the store said goes on a line of its own: it is long, and what one acts on."""
    rows = columns([HEADERS, *map(_row, items)])
    for row, said in zip(rows, ["", *(item["said"] for item in items)], strict=True):
        print(row)
        if said:
            print(f"    {one_line(said)}")


def _row(item: dict[str, Any]) -> tuple[str, ...]:
    event = item["event"]
    container = event["container"]
    message = event["message"]
    cut = message if len(message) <= MESSAGE_CHARACTERS else message[: MESSAGE_CHARACTERS - 1] + "…"
    name = container["name"] or (container["id"] or "")[:SHORT_ID] or event["host"]
    cells = (item["quarantined"][:19] + "Z", item["reason"], str(item["tries"]), name, item["id"], cut)
    return tuple(map(one_line, cells))


def retry(
    ids: Ids = None,
    everything: All = False,
    reason: Reason = None,
    server: Server = DEFAULT_SERVER,
) -> int:
    """Offer events to the store again; those it takes leave the quarantine."""
    chosen, done = _chosen(ids, everything, reason), {"taken": 0, "refused": 0}
    with asking(server) as client:
        while True:
            answer = client.post("/quarantine/retry", chosen)
            done = {name: count + answer[name] for name, count in done.items()}
            if not answer["more"]:
                break
            print(f"{done['taken']} taken, {done['refused']} refused so far", file=sys.stderr)
            chosen["before"] = answer["before"]
    print(f"{done['taken']} taken by the store, {done['refused']} refused again, {answer['left']} left")
    return _missing(answer) or (NO if done["refused"] else 0)


def drop(
    ids: Ids = None,
    everything: All = False,
    reason: Reason = None,
    force: Force = False,
    server: Server = DEFAULT_SERVER,
) -> int:
    """Throw events away for good. That they were is kept in the data folder and counted."""
    chosen = _chosen(ids, everything, reason)
    if not force:
        _ask_first(chosen)
    with asking(server) as client:
        answer = client.post("/quarantine/drop", chosen)
    print(f"{answer['dropped']} dropped, {answer['left']} left")
    return _missing(answer)


def _chosen(ids: list[str] | None, everything: bool, reason: str | None) -> dict[str, Any]:
    if bool(ids) + everything + (reason is not None) != 1:
        raise CliError("say which: ids, --reason or --all", USAGE)
    if ids:
        return {"ids": ids}
    return {"all": True} if everything else {"reason": reason}


def _ask_first(chosen: dict[str, Any]) -> None:
    if not sys.stdin.isatty():
        raise CliError("nobody can be asked here: add --force to throw the lines away", USAGE)
    what = (
        f"{len(chosen['ids'])} events" if "ids" in chosen else f"everything ({chosen.get('reason', 'all')})"
    )
    if not typer.confirm(f"Throw {what} in quarantine away for good?"):
        raise CliError("nothing was dropped")


def _missing(answer: dict[str, Any]) -> int:
    for name in answer["missing"]:
        print(f"logdock: {terminal.escape(name)} is not in quarantine", file=sys.stderr)
    return NO if answer["missing"] else 0
