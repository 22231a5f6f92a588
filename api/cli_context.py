"""`logdock logs --context`: the lines around each match, as grep shows them.

Lines around a match are those of the same container (or of whatever --scope says). Groups that overlap or
touch are one; `--` stands between others. When matches of several containers come in turn, a container's
group is taken up again where it was left: no line is printed twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Protocol
from urllib.parse import quote

import typer

from api.cli_common import USAGE, CliError

if TYPE_CHECKING:
    from api.client import Client

Event = dict[str, Any]
Params = Mapping[str, str | list[str]]
Place = tuple[str, int, str]  # what lines are sorted by: timestamp, sequence, id

MOST = 500  # lines on a side: REST gives 1,000, and one more is asked for to see whether two groups touch
AT_ONCE = 1_000  # lines asked for while a group goes on and on


class Scope(StrEnum):
    """Which lines stand around a line."""

    container = "container"
    service = "service"
    host = "host"
    all = "all"


Around = Annotated[
    int | None,
    typer.Option("--context", "-C", min=0, max=MOST, metavar="N", help="Lines around each match."),
]
Before = Annotated[
    int | None, typer.Option("--before-context", "-B", min=0, max=MOST, metavar="N", help="Lines before it.")
]
After = Annotated[
    int | None, typer.Option("--after-context", "-A", min=0, max=MOST, metavar="N", help="Lines after it.")
]
ScopeOption = Annotated[
    Scope | None,
    typer.Option("--scope", help="Of the same container (the default), service, host, or all."),
]


def sides(
    around: int | None, before: int | None, after: int | None, scope: Scope | None, follow: bool
) -> tuple[int, int] | None:
    """Lines before and after; None when nothing is asked for. As in grep, -A and -B win over -C."""
    if around is before is after is None:
        if scope is not None:
            raise CliError(
                "--scope says whose lines stand around a match: give --context, -B or -A too", USAGE
            )
        return None
    if follow:
        raise CliError("what comes after a match is not there yet while -f goes on: leave out -f", USAGE)
    around = around or 0
    return around if before is None else before, around if after is None else after


class Prints(Protocol):
    """What prints the lines."""

    def events(self, events: Sequence[Event]) -> None: ...
    def note(self, text: str) -> None: ...


class Separates(Prints, Protocol):
    """And can keep groups of them apart."""

    def separate(self) -> None: ...


class Context:
    """Takes matches, the oldest first, and prints them with `sides` lines before and after.

    `params` are the filters that made the matches. Events are printed with two more keys: `match`, and
    `group`, a number from 1.
    """

    def __init__(
        self, client: Client, printer: Separates, params: Params, sides: tuple[int, int], scope: Scope
    ) -> None:
        self._client = client
        self._printer = printer
        self._filters = {name: value for name, value in params.items() if name != "since"}
        self._before, self._after = sides
        self._scope = scope
        self._printed: dict[str, Place] = {}  # by container, service ...: its last line that was printed
        self._current: str | None = None  # whose lines were printed last
        self._group = 0

    def note(self, text: str) -> None:
        """Something about the answer."""
        self._printer.note(text)

    def events(self, matches: Sequence[Event]) -> None:
        """The next matches."""
        for match in matches:
            where = _where(match, self._scope)
            if place(match) > self._last(repr(where)):
                self._begin(match, where)

    def _last(self, key: str) -> Place:
        return self._printed.get(key, ("", -1, ""))

    def _begin(self, match: Event, where: Params) -> None:
        """A match that was not printed as another's context."""
        key = repr(where)
        lines = self._around(match, self._before + 1, self._after)
        at = next(number for number, line in enumerate(lines) if line["id"] == match["id"])
        new = [line for line in lines[:at] if place(line) > self._last(key)]
        touches = self._current == key and len(new) < at and len(new) <= self._before
        if not touches:
            self._group += 1
            if self._group > 1:
                self._printer.separate()
        self._current = key
        before = new[-self._before :] if self._before else []
        self._print([*((line, False) for line in before), (match, True)])
        self._go_on(match, lines[at + 1 :], where)

    def _go_on(self, match: Event, lines: list[Event], where: Params) -> None:
        """The lines after a match, and on as long as there is a match among them."""
        left = asked = self._after
        while left and lines:
            matching = self._matching(match, lines, where)
            shown: list[tuple[Event, bool]] = []
            for line in lines:
                if not left:
                    break
                is_match = line["id"] in matching
                left, match = (self._after, line) if is_match else (left - 1, match)
                shown.append((line, is_match))
            self._print(shown)
            if not left or len(lines) < asked:
                return
            asked = min(max(2 * asked, left), AT_ONCE)
            lines = self._around(lines[-1], 0, asked)[1:]

    def _around(self, event: Event, before: int, after: int) -> list[Event]:
        path = f"/logs/{quote(event['id'], safe='')}/context"
        answer = self._client.get(path, {"before": before, "after": after, "scope": str(self._scope)})
        for note in answer["notes"]:
            self._printer.note(note)
        if answer["truncated_by"]:
            self._printer.note(f"not everything was searched: {answer['truncated_by']}")
        events: list[Event] = answer["events"]
        return events

    def _matching(self, match: Event, lines: Sequence[Event], where: Params) -> set[str]:
        """The ids of those of `lines` that match; they are all there is in their scope and time.

        `match` is one before them: an answer without lines would be explained, which takes time.
        """
        last, found = place(lines[-1]), set[str]()
        asked = {**self._filters, **where, "since": match["timestamp"], "order": "asc"}
        cursor: dict[str, str] = {}
        while True:
            page = self._client.get("/logs", {**asked, **cursor, "limit": len(lines) + 1})
            found.update(event["id"] for event in page["events"])
            if page["next"] is None or (page["events"] and place(page["events"][-1]) >= last):
                return found
            cursor = {"cursor": page["next"]}

    def _print(self, lines: Sequence[tuple[Event, bool]]) -> None:
        self._printer.events([{**line, "match": match, "group": self._group} for line, match in lines])
        self._printed[self._current or ""] = place(lines[-1][0])


def place(event: Event) -> Place:
    """Where an event stands among others: its timestamp has nine digits, so that text sorts as time does."""
    return event["timestamp"], event["sequence"], event["id"]


def _where(event: Event, scope: Scope) -> dict[str, str]:
    """The filter on what `/logs/ID/context` calls the scope of this event."""
    if scope is Scope.all:
        return {}
    if scope is Scope.service and event["service"] is not None:
        return {"service": event["service"]}
    container = event["container"]["id"] or event["container"]["name"]
    if scope is Scope.host or container is None:
        tag = {"tag": event["tag"]} if scope is not Scope.host and event["tag"] else {}
        return {"host": event["host"], **tag}
    return {"container": container}
