"""Which row groups of which files have to be read for a text, going by their trigrams."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from storage.expression import Expression
from storage.local import trigrams
from storage.local.catalogue import FileEntry


class Part(FileEntry, frozen=True):
    """Some rows of a file, whose bounds are still those of the whole: [first, end) of `file_row_number`."""

    ranges: tuple[tuple[int, int], ...] = ()


Kind = TypeVar("Kind")


def narrowed(sources: Sequence[Kind], text: Expression | None) -> list[Kind | Part]:
    """The sources that may have a match, files as the parts that may; others than files as they are."""
    may_match = trigrams.probe(text) if text is not None else None
    if may_match is None:
        return list(sources)
    return [found for source in sources for found in _parts(source, may_match)]


def _parts(source: Kind, may_match: Callable[[bytes], bool]) -> Iterator[Kind | Part]:
    if not isinstance(source, FileEntry) or source.trigrams is None:
        yield source
        return
    kept = [number for number, bits in enumerate(trigrams.unpack(source.trigrams)) if may_match(bits)]
    if len(kept) == source.trigrams.groups:
        yield source
    elif kept:
        yield _part(source, kept, source.trigrams.rows)


def _part(file: FileEntry, groups: Sequence[int], rows: int) -> Part:
    ranges = [(group * rows, min((group + 1) * rows, file.rows)) for group in groups]
    values = {name: getattr(file, name) for name in file.__struct_fields__}
    values["rows"] = sum(end - first for first, end in ranges)
    return Part(**values, ranges=tuple(_joined(ranges)))


def _joined(ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Neighbours as one range."""
    first, end = ranges[0]
    for start, stop in ranges[1:]:
        if start > end:
            yield first, end
            first = start
        end = stop
    yield first, end


def condition(part: Part) -> str:
    """The SQL for its rows: DuckDB reads no other row group."""
    return " OR ".join(
        f"file_row_number >= {first} AND file_row_number < {end}" for first, end in part.ranges
    )
