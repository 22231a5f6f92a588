"""What to merge and what to let go."""

from storage.local.catalogue import FileEntry
from storage.local.upkeep import MERGE_FILES, MERGE_SPAN, expired, mergeable, surplus

NOTHING: frozenset[str] = frozenset()


def entry(number: int, rows: int = 10, size: int = 100, observed: int | None = None) -> FileEntry:
    at = number if observed is None else observed
    return FileEntry(f"f{number}", rows, size, 0, 0, at, at, 0, 0, 0, 0, ())


def test_too_few_small_files_stay() -> None:
    assert mergeable([entry(n) for n in range(MERGE_FILES - 1)], 1000, NOTHING) == []
    assert len(mergeable([entry(n) for n in range(MERGE_FILES)], 1000, NOTHING)) == MERGE_FILES


def test_big_and_banned_files_are_passed_over() -> None:
    files = [entry(n) for n in range(MERGE_FILES)] + [entry(90, rows=250)]
    assert entry(90, rows=250) not in mergeable(files, 1000, NOTHING)
    assert mergeable(files, 1000, frozenset({"f0"})) == []


def test_a_merged_file_is_at_most_full() -> None:
    run = mergeable([entry(n, rows=100) for n in range(20)], 1000, NOTHING)
    assert sum(e.rows for e in run) == 1000


def test_days_are_not_mixed() -> None:
    files = [entry(n, observed=n * MERGE_SPAN // 4) for n in range(MERGE_FILES)]
    assert mergeable(files, 1000, NOTHING) == []


def test_expired_by_the_newest_line() -> None:
    files = [entry(1, observed=0), entry(2, observed=5_000_000_000)]
    assert expired(files, 11_000_000_000, 10) == files[:1]
    assert expired(files, 11_000_000_000, None) == []


def test_surplus_goes_oldest_first_and_no_further() -> None:
    files = [entry(n) for n in (3, 1, 2)]
    assert [e.name for e in surplus(files, 150)] == ["f1", "f2"]
    assert surplus(files, 300) == [] and surplus(files, None) == []
