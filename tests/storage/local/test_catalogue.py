"""The catalogue: what is committed together is there together, and a damaged one says so."""

import sqlite3
from pathlib import Path

import msgspec
import pytest

from parsers.event import Container, make_origin
from storage.lists import OriginCount
from storage.local.catalogue import (
    Catalogue,
    CatalogueError,
    FileEntry,
    MinuteCount,
    Sealed,
    Span,
)
from storage.prune import Pruned
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


def test_what_goes_is_kept_until_it_is_recorded(path: Path) -> None:
    catalogue = Catalogue(path)
    for name in ("a", "b"):
        catalogue.add(sealed(name), [(1, ORIGIN)], "j", Checkpoint(5))
    removed = Pruned("x", 99, "prune", 4, 10, 20, 100)
    catalogue.replace([sealed("a").entry], None, removed)
    catalogue.replace([sealed("b").entry], sealed("c", 2), msgspec.structs.replace(removed, lines=5))
    catalogue.close()
    again = Catalogue(path)
    assert [entry.name for entry in again.files()] == ["c"]
    assert (again.totals(), again.counts(["a", "b", "c"])) == ([OriginCount(1, 2, 10, 20)],) * 2
    assert again.unrecorded() == [msgspec.structs.replace(removed, lines=5)]
    again.recorded(["y"])
    assert len(again.unrecorded()) == 1
    again.recorded(["x"])
    assert (again.unrecorded(), again.checkpoint("j")) == ([], Checkpoint(5))


def test_what_older_versions_kept_of_retention_is_to_be_recorded(path: Path) -> None:
    Catalogue(path).close()
    with sqlite3.connect(path) as old:
        rows = [
            (99, "a", "age", 3, 100, 10, 20),
            (98, "b", "size", 1, 50, 1, 2),
            (97, "c", "age", 2, 60, 5, 30),
        ]
        old.executemany("INSERT INTO pruned VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    old.close()
    catalogue = Catalogue(path)
    by_size = Pruned("older size", 98, "retention-size", 1, 1, 2, 50)
    by_age = Pruned("older age", 99, "retention", 5, 5, 30, 160)
    assert catalogue.unrecorded() == [by_size, by_age]
    catalogue.recorded(["older age"])
    assert catalogue.unrecorded() == [by_size]


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
