"""One fault after the other, a check after each, and a table of what was seen."""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from tests.real.chaos.faults import Fault
from tests.real.chaos.kept import Verdict, quarantined
from tests.real.chaos.load import Load, Source
from tests.real.chaos.site import Site, pause

SETTLE_SECONDS = 110.0
"""Until what came while a site recovered is stored too, and once. A body whose answer was lost may be stored
a second time across a roll-over, up to a minute and a half later; logdock removes that copy then."""
EVERY_LINE = "every line of the group"


@dataclass
class Row:
    """What one fault did."""

    fault: str
    acked: int = 0  # lines, from its beginning until it was undone
    resent: int = 0  # frames
    touched: int = 0  # requests that the proxy did something to
    recovered: float = 0.0  # seconds
    lost: int = 0
    doubled: int = 0
    counted: int = 0  # lines that logdock says it gave up
    problems: list[str] = field(default_factory=list)


def suffer(site: Site, fault: Fault) -> Row:
    """One fault under load, until everything is as it should be again."""
    row = Row(fault.name)
    acked, resent, counted = site.load.acked, site.load.resent, site.losses.lines
    touched = site.touched
    fault.inject(site)
    time.sleep(site.chance.uniform(*fault.seconds))
    fault.heal(site)
    row.acked, row.resent = site.load.acked - acked, site.load.resent - resent
    row.touched = site.touched - touched
    row.recovered = site.recover()
    check(site, row)
    row.counted = site.losses.lines - counted
    if row.counted and not fault.loses:
        row.problems.append(f"gave up {dict(site.losses.told)}")
    return row


def check(site: Site, row: Row) -> None:
    """Exactly what was promised is there. By count, and where that is wrong line by line."""
    site.load.hold()
    if not settles(site):
        for sender in site.load.senders:
            judge(sender.name, site.verdict(sender), row)
        row.problems = row.problems or [
            f"{site.losses.lines} lines are counted as given up, others are missing"
        ]
    site.load.go_on()


def settles(site: Site) -> bool:
    begun = time.monotonic()
    while time.monotonic() - begun < SETTLE_SECONDS:
        site.losses.look(site.server)
        if site.settled():
            return True
        pause(begun)
    return False


def judge(name: str, verdict: Verdict, row: Row) -> None:
    row.lost += len(verdict.lost)
    row.doubled += len(verdict.doubled)
    if not verdict.good:
        row.problems.append(f"{name}: {verdict}")


def endure(
    site: Site, groups: Iterable[list[Fault]], fresh: Callable[[], Load], tell: Callable[[str], None]
) -> list[Row]:
    """All groups of faults, each with senders of its own (from `fresh`) and a check of every line at its end.

    After a fault that cost something the senders are replaced too, so that it is not told twice. At the very
    end the lines of all are counted once more: none of them came twice meanwhile.
    """
    rows: list[Row] = []
    ended: list[Source] = []
    for faults in groups:
        begin(site, fresh)
        for fault in faults:
            rows.append(suffer(site, fault))
            tell(f"{len(rows):4} {line(rows[-1])}")
            if rows[-1].problems:
                tell(f"     {rows[-1].problems}")
                site.load.end()
                begin(site, fresh)
        rows.append(every_line(site))
        tell(f"     {line(rows[-1])} {rows[-1].problems or ''}")
        if not rows[-1].problems:
            ended += site.load.sources
    rows.append(count_again(site, ended))
    return rows


def begin(site: Site, fresh: Callable[[], Load]) -> None:
    site.begin(fresh())
    time.sleep(0.5)


def every_line(site: Site) -> Row:
    """Every line that these senders and containers were promised, in Elasticsearch itself and over REST."""
    row = Row(EVERY_LINE)
    begun = time.monotonic()
    site.load.end()
    row.acked, row.resent = sum(source.acked for source in site.load.sources), site.load.resent
    row.counted = site.losses.lines
    for source in site.load.sources:
        judge(source.name, patient(partial(site.verdict, source)), row)
        judge(f"{source.name} over REST", patient(partial(site.verdict_of_rest, source)), row)
    row.recovered = time.monotonic() - begun
    return row


def patient(look: Callable[[], Verdict]) -> Verdict:
    """What is not there yet may come."""
    end = time.monotonic() + SETTLE_SECONDS
    while not (verdict := look()).good and time.monotonic() < end:
        time.sleep(1)
    return verdict


def count_again(site: Site, sources: list[Source]) -> Row:
    row = Row("all of them once more, by count", acked=sum(source.acked for source in sources))
    found = site.count(sources)
    elsewhere = sum(quarantined(site.server.data).values())
    row.doubled = max(0, sum(found.values()) + elsewhere - row.acked)
    row.lost = max(0, row.acked - elsewhere - sum(found.values()))
    if row.lost or row.doubled:
        row.problems.append(f"{row.acked} promised, {sum(found.values())} stored, {elsewhere} in quarantine")
    return row


def line(row: Row) -> str:
    return (
        f"{row.fault:45} acked {row.acked:6} resent {row.resent:5} touched {row.touched:4} "
        f"recovered {row.recovered:6.2f} s lost {row.lost} doubled {row.doubled} counted {row.counted}"
    )


def table(rows: list[Row]) -> list[str]:
    """A line for every kind of fault."""
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        kinds.setdefault(row.fault, []).append(row)
    head = ("fault", "count", "acked", "resent", "recovered (median, max)", "lost", "doubled", "counted")
    widths = (45, 5, 8, 6, 23, 5, 7, 7)
    lines: list[tuple[str, ...]] = [head]
    for name, found in kinds.items():
        seconds = [row.recovered for row in found]
        sums = [
            sum(getattr(row, key) for row in found)
            for key in ("acked", "resent", "lost", "doubled", "counted")
        ]
        times = f"{statistics.median(seconds):.1f} s, {max(seconds):.1f} s"
        lines.append((name, str(len(found)), *map(str, sums[:2]), times, *map(str, sums[2:])))
    return [" | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in lines]
