"""Which containers are connected: Docker's drivers hold a connection for as long as a container runs.

It is told by the maker of events, in the journal's order, and takes effect when those events were handed on
(`apply`): whoever learns that a container has ended has been given its last line. Only connections of this
run of the server count, and only such over which lines came; of all others nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable

from parsers.event import Container

MAX_CONTAINERS = 20_000  # remembered; of those that are forgotten nothing is known

_Key = str | None


class Presence:
    """`connected` is for readers; all else is for the pipeline. Everything on one event loop."""

    def __init__(self) -> None:
        self._told: dict[int, Container] = {}  # who spoke last, by connection; not applied yet perhaps
        self._pending: list[tuple[int, Container | None, bool]] = []
        self._speakers: dict[int, _Key] = {}
        self._connections: dict[_Key, int | None] = {}  # None: its sender closed; the least recent first

    def spoke(self, connection: int, container: Container) -> None:
        """A line of the container came over the connection."""
        if self._told.get(connection) is not container:
            self._told[connection] = container
            self._pending.append((connection, container, False))

    def ended(self, connection: int, by_sender: bool) -> None:
        """The connection has ended. When this server closed it, its sender may dial again at any time."""
        if self._told.pop(connection, None) is not None:
            self._pending.append((connection, None, by_sender))

    def apply(self) -> None:
        """What was told so far holds from now on."""
        for connection, container, by_sender in self._pending:
            if container is None:
                self._end(connection, by_sender)
            else:
                self._begin(connection, container.id or container.name)
        self._pending.clear()

    def connected(self, containers: Iterable[str]) -> bool | None:
        """Whether any of them, by id (or name, without one), is connected; None when nobody knows.

        False: all of them were, and their senders closed.
        """
        known = [self._connections.get(key, 0) for key in containers]
        if any(known):
            return True
        return None if 0 in known or not known else False

    def _begin(self, connection: int, key: _Key) -> None:
        self._speakers[connection] = key
        self._connections.pop(key, None)
        self._connections[key] = connection
        if len(self._connections) > MAX_CONTAINERS:
            del self._connections[next(iter(self._connections))]

    def _end(self, connection: int, by_sender: bool) -> None:
        key = self._speakers.pop(connection, None)
        if self._connections.get(key) != connection:
            return  # it speaks over another one by now, or was forgotten
        if by_sender:
            self._connections[key] = None
        else:
            del self._connections[key]
