"""Events as bulk bodies, whatever they hold: one that cannot be rendered keeps no neighbour back."""

from collections.abc import Collection, Sequence

from parsers.event import Event
from storage.elastic.docs import Writer
from storage.store import Rejection


class Renderer:
    """A Writer whose failures are rejections."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def chunk(self, events: Sequence[Event], start: int, limit: int) -> tuple[bytes, int, list[Rejection]]:
        """As Writer.body. A body ends before an event that cannot be rendered; at `start`, it is rejected."""
        try:
            return *self._writer.body(events, start, limit), []
        except Exception:
            return self._up_to_broken(events, start, limit)

    def _up_to_broken(
        self, events: Sequence[Event], start: int, limit: int
    ) -> tuple[bytes, int, list[Rejection]]:
        for place in range(start, len(events)):
            line = self._line(events[place], ())
            if isinstance(line, Rejection):
                if place > start:
                    return *self._writer.body(events[:place], start, limit), []
                return b"", place + 1, [line]
        return *self._writer.body(events, start, limit), []

    def body(self, events: Sequence[Event], degraded: Collection[str]) -> tuple[bytes, list[Rejection]]:
        """All events, those of these ids degraded."""
        lines = [self._line(event, degraded) for event in events]
        good = [line for line in lines if isinstance(line, bytes)]
        return b"".join(good), [line for line in lines if isinstance(line, Rejection)]

    def _line(self, event: Event, degraded: Collection[str]) -> bytes | Rejection:
        writer = self._writer
        try:
            return writer.degraded(event) if degraded and event.id in degraded else writer.line(event)
        except Exception as error:
            return Rejection(event, "unencodable", f"{type(error).__name__}: {error}")
