"""`logdock histogram`: how many lines there were when, as bars."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Annotated, Any

import typer

from api import terminal
from api.cli_common import (
    DEFAULT_SERVER,
    Format,
    Output,
    Params,
    Server,
    asking,
    filtered,
    write_json,
)
from api.cli_logs import kind_of, narrowed
from parsers.event import LEVELS

PIPE_BAR = 40  # characters of the longest bar where there is no terminal
SHORTEST_BAR = 10  # and on a narrow one
NONE = "(none)"  # shown for lines without a value
MOST_NAMED = 8  # values in the line below the bars: the others are in the JSON

Bucket = dict[str, Any]
Paint = Callable[[str, str], str]  # (text, value) -> text in the value's colour

By = Annotated[
    str,
    typer.Option(
        "--by",
        help="level, service, container, host, stream, tag, label.KEY or a parsed field; '' for totals.",
    ),
]
Buckets = Annotated[int | None, typer.Option("--buckets", help="Rows at most; 60 unless told.", metavar="N")]


def register(app: typer.Typer) -> None:
    app.command("histogram")(filtered(histogram))


def histogram(
    name: Annotated[
        str | None, typer.Argument(metavar="[CONTAINER|SERVICE]", help="Name, id or its start.")
    ] = None,
    by: By = "level",
    buckets: Buckets = None,
    output: Format = Output.text,
    server: Server = DEFAULT_SERVER,
    *,
    params: Params,
) -> None:
    """Count lines over time, for the same questions as `logs`."""
    params = {
        **params,
        **({"by": by} if by else {}),
        **({"buckets": str(buckets)} if buckets is not None else {}),
    }
    with asking(server) as client:
        if name is not None:
            params = narrowed(params, kind_of(client, name), name)
        answer = client.get("/histogram", params)
    _print(answer, by, output)


def _print(answer: dict[str, Any], by: str, output: Output) -> None:
    if output is Output.json:
        write_json([answer])
        return
    notes = answer["notes"] if answer["exact"] else ["these counts are not exact", *answer["notes"]]
    for note in notes:
        print(f"logdock: {terminal.escape(note)}", file=sys.stderr)
    if output is Output.ndjson:
        write_json(answer["buckets"])
        return
    for line in _chart(answer["buckets"], by):
        print(line)


def _chart(buckets: Sequence[Bucket], by: str) -> list[str]:
    """Rows of time, count and bar; on a terminal that takes colours they tell the values, else words do."""
    if not buckets:
        return []
    values = in_order(buckets, by)
    coloured = terminal.wants_colour(sys.stdout)
    digits = max(len(str(bucket["count"])) for bucket in buckets)
    head = len("2026-11-24 01:00:00") + digits + 4
    room = _room(shutil.get_terminal_size().columns - head, coloured) if sys.stdout.isatty() else PIPE_BAR
    most = max(bucket["count"] for bucket in buckets)
    paint = _painter(by) if coloured else _plain
    rows = []
    for bucket in buckets:
        bar = bar_of(bucket, values, most, room, paint)
        told = "" if coloured else _told(bucket["by"], values, room - _length(bucket["count"], most, room))
        rows.append(f"{_local(bucket['start'])}  {bucket['count']:>{digits}}  {bar}{told}".rstrip())
    return [*rows, *_legend(buckets, values, paint if coloured else None)]


def _room(left: int, coloured: bool) -> int:
    """Of so many columns those for bars; without colours the other half is for words."""
    return max(left if coloured else min(left // 2, PIPE_BAR), SHORTEST_BAR)


def in_order(buckets: Sequence[Bucket], by: str) -> list[str]:
    """The values: levels the worst first, others those of most lines first; lines without one last."""
    totals: dict[str, int] = {}
    for bucket in buckets:
        for value, count in bucket["by"].items():
            totals[value] = totals.get(value, 0) + count
    if by == "level":
        return [value for value in (*LEVELS[::-1], "") if value in totals]
    return sorted(totals, key=lambda value: (not value, -totals[value], value))


def bar_of(bucket: Bucket, values: Sequence[str], most: int, room: int, paint: Paint) -> str:
    """The bar of one row; of a count above zero it is never empty."""
    length = _length(bucket["count"], most, room)
    block = "#" if paint is _plain else "█"
    counts = [bucket["by"].get(value, 0) for value in values]
    total = sum(counts)
    if not total:
        return block * length
    ends = [0, *(round(sum_ * length / total) for sum_ in accumulate(counts))]
    parts = zip(values, pairwise(ends), strict=True)
    return "".join(paint(block * (end - start), value) for value, (start, end) in parts if end > start)


def _length(count: int, most: int, room: int) -> int:
    return max(round(count * room / most), 1) if count else 0


def _plain(text: str, _value: str) -> str:
    return text


def _painter(by: str) -> Paint:
    if by == "level":
        return lambda text, value: terminal.by_level(text, value)
    return lambda text, value: terminal.in_colour_of(text, value) if value else terminal.dim(text)


def _told(counts: Mapping[str, int], values: Sequence[str], pad: int) -> str:
    told = [f"{_name(value)} {counts[value]}" for value in values if counts.get(value)]
    return " " * pad + "  " + ", ".join(told) if told else ""


def _legend(buckets: Sequence[Bucket], values: Sequence[str], paint: Paint | None) -> list[str]:
    if paint is None or not values:
        return []
    named = [
        f"{paint('█', value)} {_name(value)} {sum(bucket['by'].get(value, 0) for bucket in buckets)}"
        for value in values[:MOST_NAMED]
    ]
    more = len(values) - MOST_NAMED
    return ["  ".join([*named, *([f"and {more} more"] if more > 0 else [])])]


def _name(value: str) -> str:
    return terminal.one_line(value) or NONE


def _local(moment: str) -> str:
    """A time of day as people read it, in their own zone."""
    seconds = datetime.fromisoformat(moment[:19] + "+00:00")
    return seconds.astimezone().strftime("%Y-%m-%d %H:%M:%S")
