"""Lines of a prune, counted by origin and told by container: the same for every store."""

from collections.abc import Iterable
from itertools import starmap

from parsers.event import Origin
from storage.lists import OriginCount, identity
from storage.prune import Part, PruneResult

MAX_PARTS = 50  # containers told of one prune: more nobody reads, and the record of it has to stay small


class Tally:
    """Adds up lines by origin."""

    def __init__(self) -> None:
        self.lines = 0
        self._counts: dict[str, tuple[Origin, OriginCount]] = {}

    def add(self, origin: Origin, lines: int, first: int, last: int) -> None:
        """Some lines more of one origin, with the timestamps of their first and last."""
        if not lines:
            return
        self.lines += lines
        _, old = self._counts.get(origin.key, (origin, None))
        new = OriginCount(0, lines, first, last)
        if old is not None:
            new = OriginCount(0, old.lines + lines, min(old.first, first), max(old.last, last))
        self._counts[origin.key] = origin, new

    def copy(self) -> "Tally":
        """Another that goes on from here."""
        other = Tally()
        other.lines, other._counts = self.lines, dict(self._counts)
        return other

    def result(self, freed: int | None = None) -> PruneResult:
        """Everything so far; `freed` is in bytes."""
        counts = [count for _, count in self._counts.values()]
        if not counts:
            return PruneResult(bytes=freed)
        parts, more = largest(starmap(_part, self._counts.values()))
        first, last = min(c.first for c in counts), max(c.last for c in counts)
        return PruneResult(self.lines, freed, first, last, parts, more)


def _part(origin: Origin, count: OriginCount) -> tuple[object, Part]:
    container = origin.container
    part = Part(count.lines, count.first, count.last, container.name, container.id, origin.service)
    return identity(origin), part


def largest(parts: Iterable[tuple[object, Part]]) -> tuple[tuple[Part, ...], int]:
    """The parts with the most lines, one for each (who, service), and how many are left out.

    What one container's parts tell differently is told as the latest does.
    """
    merged: dict[object, Part] = {}
    for who, part in parts:
        old = merged.get((who, part.service))
        merged[who, part.service] = part if old is None else both(old, part)
    ordered = sorted(merged.values(), key=lambda p: (-p.lines, p.name or "", p.id or ""))
    return tuple(ordered[:MAX_PARTS]), max(0, len(ordered) - MAX_PARTS)


def both(a: Part, b: Part) -> Part:
    """Two parts of one container as one."""
    late = a if a.last >= b.last else b
    first, last = min(a.first, b.first), max(a.last, b.last)
    return Part(a.lines + b.lines, first, last, late.name, late.id, late.service)
