"""A journal entry -> events and parts: which decoder and which normaliser an entry wants."""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from ingest.entries import Entry, Protocol, split_payloads
from parsers.event import Event
from parsers.forward import decode as decode_forward
from parsers.gelf import decode as decode_gelf
from parsers.gelf import inflate
from parsers.gelf import split as split_gelf
from parsers.join import Part
from parsers.normalize import Normalizer, Source
from parsers.record import DecodeError, Record
from parsers.rests import Rest

_RUN_BITS = 32  # an entry has as many bits for its connection
_CONNECTION = (1 << _RUN_BITS) - 1

MALFORMED_TEXT_BYTES = 32 << 10  # what is kept of a payload that is no GELF after all


class Decoder:
    """Decodes entries of one journal. `skipped` counts by reason what became no record."""

    def __init__(self, normalizer: Normalizer, journal: str) -> None:
        self.skipped: Counter[str] = Counter()
        self._normalizer = normalizer
        self._journal = journal
        self._run = 0

    def begin_run(self) -> None:
        """A START entry was read: from here on connection numbers begin at 1 again."""
        self._run += 1

    def connection(self, entry: Entry) -> int:
        """The entry's connection, told apart from those of other runs."""
        return self._run << _RUN_BITS | entry.connection

    def decode(self, entry: Entry, sequence: int) -> Iterator[Event | Part]:
        """Lazily, in the sender's order: record i has index i and sequence `sequence` + i."""
        connection = self.connection(entry)
        source = Source(self._journal, entry.position, entry.observed, entry.peer, connection)
        if entry.protocol is Protocol.FORWARD:
            records = decode_forward(entry.raw, entry.count, self.skipped)
            return iter(self._normalizer.forward(records, source, sequence))
        return self._gelf(entry, source, sequence)

    def suspended(self, rests: tuple[Rest, ...]) -> tuple[Rest, ...]:
        """Cut lines for a checkpoint, their connections numbered as in their entries: all are of one run."""
        return tuple(
            msgspec.structs.replace(rest, connection=rest.connection & _CONNECTION) for rest in rests
        )

    def resumed(self, rests: tuple[Rest, ...]) -> tuple[Rest, ...]:
        """Cut lines of a checkpoint, their connections numbered as in `connection`. Expect what ends them."""
        run = self._run << _RUN_BITS
        ours = tuple(msgspec.structs.replace(rest, connection=run | rest.connection) for rest in rests)
        for rest in ours:
            self._normalizer.resume(rest)
        return ours

    def forget(self, connection: int) -> None:
        """The connection has ended: drop what was remembered for it."""
        self._normalizer.forget(connection)

    def _gelf(self, entry: Entry, source: Source, sequence: int) -> Iterator[Event | Part]:
        for index, payload in enumerate(_payloads(entry)):
            try:
                message = decode_gelf(inflate(payload))
            except DecodeError:
                yield from self._malformed(payload, source, sequence + index, index)
                continue
            yield self._normalizer.gelf(message, source, sequence + index, index)

    def _malformed(self, payload: bytes, source: Source, sequence: int, index: int) -> Iterable[Event | Part]:
        """What looked like GELF but is not is kept as text: it may be somebody's last words."""
        text = payload[:MALFORMED_TEXT_BYTES].decode("utf-8", "replace")
        record = Record("", None, {"message": text}, {"logdock_malformed": True})
        return self._normalizer.forward([record], source, sequence, index)


def _payloads(entry: Entry) -> list[bytes]:
    return split_gelf(entry.raw) if entry.protocol is Protocol.GELF_TCP else split_payloads(entry.raw)


def count_records(entry: Entry) -> int:
    """How many records an entry holds, without making anything of them."""
    if entry.protocol is Protocol.FORWARD:
        return sum(1 for _ in decode_forward(entry.raw, entry.count, Counter()))
    return len(_payloads(entry))
