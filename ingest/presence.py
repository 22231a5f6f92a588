"""Which containers are connected: Docker's drivers hold a connection for as long as a container runs.

It is told by the maker of events, in the journal's order, and takes effect when those events were handed on
(`apply`): whoever learns that a container has ended has been given its last line. Only connections of this
run of the server count (and ends that are remembered, ends.py), and only such over which the lines of one
container came, one by one: what a relay opens and closes says nothing of its containers. Of all others
nothing is known.

That the sender closes is mostly the end of the container, but Docker's fluentd driver also redials in the
middle of a life: at once, with fluentd-async-reconnect-interval, and in a storm when both streams of a
container take each other's acknowledgement (gate.py), with connections that only bring again what is known.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ingest.entries import CLOSED_HERE, CLOSED_WITH_ACKS, Entry, Kind, Protocol
from parsers.event import Container
from parsers.forward import is_relayed

MAX_CONTAINERS = 20_000  # remembered; of those that are forgotten nothing is known
MAX_PEERS = 1_000  # whose dialling is remembered; those forgotten end without REDIAL_SECONDS
# Longer than the gate lets a connection be silent whose client waits for an acknowledgement that it lost.
REDIAL_SECONDS = 3.0

_Key = str | None
_RELAY = "\0"  # no name of a container
_NOBODY = Container(None, None)
_NEVER = (0, 0.0)


@dataclass(frozen=True, slots=True)
class _Ended:
    """Its sender closed the connection. `peer`: who dials again perhaps, of one with acknowledgements."""

    connection: int
    at: float
    peer: str | None


class Presence:
    """`connected` is for readers; all else is for the pipeline. Everything on one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.changes = 0  # of what `ended` tells
        self._clock = clock
        self._told: dict[int, Container] = {}  # who spoke last, by connection; not applied yet perhaps
        self._latest: dict[_Key, int] = {}  # over which a container spoke last, likewise
        self._pending: list[Entry | tuple[int, _Key]] = []
        self._speakers: dict[int, _Key] = {}  # _RELAY: of several containers, or not one by one
        self._connections: dict[_Key, int | _Ended] = {}  # the least recent first
        self._dialled: dict[str | None, tuple[int, float]] = {}  # peer: its latest connection without a line

    def spoke(self, entry: Entry, container: Container) -> None:
        """A line of the container came with the entry."""
        connection, key = entry.connection, container.id or container.name
        if self._told.get(connection) is container and self._latest.get(key) == connection:
            return
        relayed = entry.protocol is Protocol.FORWARD and is_relayed(entry.raw)
        self._unlatest(connection)
        self._told[connection], self._latest[key] = container, connection
        self._pending.append((connection, _RELAY if relayed else key))

    def mark(self, entry: Entry) -> None:
        """A connection begins or ends. When this server closed it, its sender may dial again at any time."""
        if entry.kind is Kind.CLOSE:
            self._unlatest(entry.connection)
            self._told.pop(entry.connection, None)
        if entry.kind is Kind.CLOSE or entry.kind is Kind.OPEN:
            self._pending.append(entry)

    def _unlatest(self, connection: int) -> None:
        """Whom it spoke for is to be told again when another connection does."""
        container = self._told.get(connection, _NOBODY)
        key = container.id or container.name
        if self._latest.get(key) == connection:
            del self._latest[key]

    def apply(self) -> None:
        """What was told so far holds from now on."""
        for told in self._pending:
            if isinstance(told, tuple):
                self._begin(*told)
            elif told.kind is Kind.CLOSE:
                self._end(told)
            else:
                self._dial(told)
        self._pending.clear()

    def connected(self, containers: Iterable[str], patience: float = 0.0) -> bool | None:
        """Whether any of them, by id (or name, without one), is connected; None when nobody knows.

        False: all of them were, and their senders closed, `patience` seconds ago or earlier.
        """
        known = [self._is_connected(key, patience) for key in containers]
        if True in known:
            return True
        return None if None in known or not known else False

    def ended(self) -> list[str]:
        """All that have ended, as far as it is remembered."""
        return [key for key, state in self._connections.items() if isinstance(state, _Ended) and key]

    def recall(self, ended: Iterable[str]) -> None:
        """What `ended` told in an earlier run."""
        for key in ended:
            self._connections[key] = _Ended(0, -math.inf, None)

    def _is_connected(self, key: str, patience: float) -> bool | None:
        state = self._connections.get(key)
        if not isinstance(state, _Ended):
            return None if state is None else True
        now = self._clock()
        if now - state.at < patience:
            return True
        connection, at = self._dialled.get(state.peer, _NEVER)
        return connection > state.connection and now - at < REDIAL_SECONDS

    def _begin(self, connection: int, speaker: _Key) -> None:
        before = self._speakers.setdefault(connection, speaker)
        if before != speaker:
            self._speakers[connection] = _RELAY
            self._forget(before, connection)
        elif speaker != _RELAY:
            state = self._connections.pop(speaker, None)
            self.changes += isinstance(state, _Ended)
            self._connections[speaker] = connection
            if len(self._connections) > MAX_CONTAINERS:
                del self._connections[next(iter(self._connections))]

    def _end(self, entry: Entry) -> None:
        if entry.connection not in self._speakers:
            self._dial(entry)
            return
        key = self._speakers.pop(entry.connection)
        if not self._forget(key, entry.connection) or entry.raw == CLOSED_HERE:
            return  # it speaks over another one by now, or was forgotten; or nobody knows
        peer = entry.peer if entry.raw == CLOSED_WITH_ACKS else None
        self._connections[key] = _Ended(entry.connection, self._clock(), peer)
        self.changes += 1

    def _forget(self, key: _Key, connection: int) -> bool:
        """Whether that was the container's connection; nothing is known of it now."""
        if self._connections.get(key) != connection:
            return False
        del self._connections[key]
        return True

    def _dial(self, entry: Entry) -> None:
        newest = max(entry.connection, self._dialled.pop(entry.peer, _NEVER)[0])
        self._dialled[entry.peer] = newest, self._clock()
        if len(self._dialled) > MAX_PEERS:
            del self._dialled[next(iter(self._dialled))]
