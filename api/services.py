"""What the HTTP routes need from the rest of the house, handed in by whoever wires it (serve.py, tests)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter

from api.settings import Settings
from ingest.presence import Presence
from storage.metrics import Metrics
from storage.quarantine_work import Worker
from storage.store import Store
from storage.tail import Tail


@dataclass(frozen=True)
class Readiness:
    """Whether the server answers from everything it holds; `reasons` say why not, in words.

    `replaying` is the one reason that a resumed live tail waits for; None: take `ready` for it.
    """

    ready: bool = True
    reasons: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)  # lag_bytes, lag_seconds, replayed, ...
    replaying: bool | None = None

    @property
    def is_replaying(self) -> bool:
        return not self.ready if self.replaying is None else self.replaying


def _ready() -> Readiness:
    return Readiness()


def _no_notes() -> list[str]:
    return []


@dataclass(frozen=True)
class Services:
    """One running server as its routes see it.

    `notes` are standing warnings (damaged journal, lines dropped) that go into every answer.
    `clock` gives nanoseconds since the epoch; relative times in questions count from it.
    """

    store: Store
    tail: Tail
    metrics: Metrics
    settings: Settings
    readiness: Callable[[], Readiness] = _ready
    routers: list[APIRouter] = field(default_factory=list)  # HTTP inputs
    notes: Callable[[], list[str]] = _no_notes
    clock: Callable[[], int] = time.time_ns
    quarantine: Worker | None = None
    presence: Presence = field(default_factory=Presence)
