"""Lines per origin in memory and in files: the embedded store scans no lines for its lists."""

from collections.abc import Sequence

from storage.lists import OriginCount, Seen
from storage.local import files as local_files
from storage.local.hot import Batch
from storage.local.origins import Origins
from storage.local.shelf import add_counts
from storage.query import Query


def seen(batches: Sequence[Batch], totals: Sequence[OriginCount], origins: Origins, query: Query) -> Seen:
    """Lines per origin in memory and in files, for the origins that `query` lets through."""
    counts = add_counts([*totals, *local_files.counts([batch.data for batch in batches])])
    selected = origins.matching(query)
    numbers = counts.keys() if selected is None else counts.keys() & selected
    found = [(origin, counts[number]) for number, origin in origins.items(numbers)]
    return sorted(found, key=lambda pair: (pair[1].last, pair[1].origin), reverse=True)
