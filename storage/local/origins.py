"""Origins by number: a row of the embedded store names its origin by a small integer."""

from collections.abc import Iterable, Iterator

from parsers.event import Origin
from storage.query import Query, matches_origin

MAX_SELECTIONS = 64  # remembered answers to "which origins are meant?", asked again by every page

_Filters = tuple[object, ...]


class Origins:
    """All origins of one store. Only the event loop adds; queries in threads read (numbers never change)."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.known: dict[int, Origin] = {}
        self._next = 1
        self._selections: dict[_Filters, tuple[int, frozenset[int]]] = {}

    def load(self, numbered: Iterable[tuple[int, Origin]]) -> None:
        """Take over the numbers that the catalogue gave."""
        for number, origin in numbered:
            self.ids[origin.key] = number
            self.known[number] = origin
            self._next = max(self._next, number + 1)

    def intern(self, origins: Iterable[Origin]) -> None:
        """Give a number to every origin that has none."""
        for origin in origins:
            if origin.key not in self.ids:
                self.known[self._next] = origin
                self.ids[origin.key] = self._next
                self._next += 1

    def matching(self, query: Query) -> frozenset[int] | None:
        """The numbers that `query`'s origin filters let through; None when it has no such filter.

        Looks only at origins that are new since the same filters were asked last.
        """
        filters = (query.containers, query.services, query.hosts, query.labels, query.tag)
        if not any(filters[:-1]) and query.tag is None:
            return None
        seen, selected = self._selections.get(filters, (0, frozenset()))
        numbered = list(self.known.items())  # one step under the interpreter lock: never a dict that grows
        selected |= frozenset(n for n, origin in numbered[seen:] if matches_origin(query, origin))
        if len(self._selections) >= MAX_SELECTIONS:
            self._selections.clear()
        self._selections[filters] = (len(numbered), selected)
        return selected

    def items(self, numbers: Iterable[int]) -> Iterator[tuple[int, Origin]]:
        """(number, origin) for each of `numbers`."""
        return ((number, self.known[number]) for number in numbers)
