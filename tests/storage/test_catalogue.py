"""The catalogue: what is committed together is there together, and a damaged one says so."""

import sqlite3
from pathlib import Path

import pytest

from parsers.event import Container, make_origin
from storage.catalogue import (
    Catalogue,
    CatalogueError,
    FileEntry,
    MinuteCount,
    Pruned,
    Sealed,
    Span,
)
from storage.lists import OriginCount
from storage.store import Checkpoint, Held

ORIGIN = make_origin(
    Container("ab" * 32, "web", "img"), "node-a", labels={"k": "v"}, tag_fields={"Name": "web"}
)


def sealed(name: str, lines: int = 3, origin: int = 1) -> Sealed:
    entry = FileEntry(name, lines, 100, 10, 20, 11, 21, 0, 5, 0, 5, (Span("j", 0, 9),), (origin,))
    counts, minutes = [OriginCount(origin, lines, 10, 20)], [MinuteCount(0, origin, "info", lines)]
    return Sealed(entry, counts, minutes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.sqlite"


def test_a_file_with_its_origins_counts_and_checkpoint(path: Path) -> None:
    checkpoint = Checkpoint(7, 8, 9, (Held(3, 0, 2),))
    catalogue = Catalogue(path)
    catalogue.add(sealed("a"), [(1, ORIGIN)], "j", checkpoint)
    catalogue.close()
    again = Catalogue(path)
    assert again.files() == [sealed("a").entry]
    assert again.origins() == [(1, ORIGIN)]
    assert again.totals() == [OriginCount(1, 3, 10, 20)]
    assert again.minutes(["a", "other"]) == [MinuteCount(0, 1, "info", 3)]
    assert again.checkpoint("j") == checkpoint
    assert again.names("a") and not again.names("b")


def test_a_checkpoint_belongs_to_its_journal(path: Path) -> None:
    catalogue = Catalogue(path)
    catalogue.save_checkpoint("one", Checkpoint(5))
    assert catalogue.checkpoint("one") == Checkpoint(5)
    assert catalogue.checkpoint("two") is None


def test_a_failed_addition_leaves_nothing(path: Path) -> None:
    catalogue = Catalogue(path)
    catalogue.add(sealed("a"), [(1, ORIGIN)], "j", Checkpoint(5))
    with pytest.raises(sqlite3.IntegrityError):
        catalogue.add(sealed("a"), [], "j", Checkpoint(6))
    assert catalogue.checkpoint("j") == Checkpoint(5)
    assert catalogue.totals() == [OriginCount(1, 3, 10, 20)]


def test_replacing_swaps_counts(path: Path) -> None:
    catalogue = Catalogue(path)
    for name in ("a", "b"):
        catalogue.add(sealed(name), [(1, ORIGIN)], "j", None)
    catalogue.replace([sealed("a").entry, sealed("b").entry], sealed("ab", 6))
    assert [entry.name for entry in catalogue.files()] == ["ab"]
    assert catalogue.totals() == [OriginCount(1, 6, 10, 20)]
    assert catalogue.minutes(["a", "b"]) == []


def test_pruning_is_remembered(path: Path) -> None:
    catalogue = Catalogue(path)
    catalogue.add(sealed("a"), [(1, ORIGIN)], "j", None)
    catalogue.prune([sealed("a").entry], 99, "age")
    assert catalogue.files() == [] and catalogue.totals() == []
    assert catalogue.pruned() == [Pruned(99, "a", "age", 3, 100, 10, 20)]


def test_unused_origins_are_forgotten(path: Path) -> None:
    catalogue = Catalogue(path)
    other = make_origin(Container(None, "gone"), "node-a")
    catalogue.add(sealed("a"), [(1, ORIGIN), (2, other)], "j", None)
    catalogue.forget_unused_origins()
    assert catalogue.origins() == [(1, ORIGIN)]


def test_a_damaged_catalogue_says_what_to_do(path: Path) -> None:
    path.write_bytes(b"this is no database at all, but long enough to look like one" * 40)
    with pytest.raises(CatalogueError, match="cannot be used"):
        Catalogue(path)


def test_a_newer_catalogue_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(CatalogueError, match="version 99"):
        Catalogue(path)
