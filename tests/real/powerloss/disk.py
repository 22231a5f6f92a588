"""A data folder whose power can be cut: shim.c records what the server synced, this makes a folder of it.

What is never synced need not be lost, so a cut is one of several kinds, see Cut.
"""

import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.real.conftest import missing

SOURCE = Path(__file__).with_name("shim.c")
APPENDED = ".log"  # the journal's segments only grow; everything else is copied whole at each sync
SECTOR = 512  # bytes that a disk writes whole
KEPT_SHARE = 0.5  # of the unsynced sectors that survive
IN_FLIGHT = 2  # names of the one change that a kill may fall into before it is recorded: a rename has two

Names = dict[int, dict[str, int]]  # folder -> name -> inode


class Cut(NamedTuple):
    """What becomes of that which was not synced.

    `names`: "strict" (a name is as it was when its folder was last synced) or "journaled" (all changes up to
    some moment after the last sync of anything, in order: as ext4's journal leaves them). `data`: "synced"
    (nothing more), "prefix" (some of the unsynced bytes, from their start) or "sectors" (any of them).
    """

    names: str
    data: str


CUTS = [Cut(names, data) for names in ("strict", "journaled") for data in ("synced", "prefix", "sectors")]


class Synced(msgspec.Struct, frozen=True):
    """One sync of a file. Times are monotonic seconds; `changes` of names were made before it."""

    inode: int
    began: float
    ended: float
    size: int
    changes: int
    name: str


@dataclass
class Left:
    """What a cut left."""

    syncs: list[Synced]
    lost_bytes: int = 0  # unsynced bytes of appended files that are gone
    torn: list[str] = field(default_factory=list)  # files with some, not all, of their unsynced bytes
    lost_names: list[str] = field(default_factory=list)
    undead_names: list[str] = field(default_factory=list)


def build(folder: Path) -> Path:
    """The compiled shim. A machine without a C compiler skips the test loudly."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        missing("a C compiler (cc), for the power loss tests")
    target = folder / "powerloss.so"
    done = subprocess.run(
        [str(compiler), "-shared", "-fPIC", "-O2", "-Wall", "-o", str(target), str(SOURCE), "-lpthread"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target


class Disk:
    """The disk under `root`. `folder` is for its records, on the same file system."""

    def __init__(self, shim: Path, root: Path, folder: Path) -> None:
        self.root = root
        self._shim = shim
        self._shadow = folder
        self._start: Names = {}
        self._inode = 0

    def environ(self, *, ignored: str = "", slow_ms: str = "0") -> dict[str, str]:
        """For the process whose disk this is. `ignored`: suffix of files whose syncs are a lie."""
        return {
            "LD_PRELOAD": str(self._shim),
            "POWERLOSS_SHADOW": str(self._shadow),
            "POWERLOSS_APPENDED": APPENDED,
            "POWERLOSS_IGNORED": ignored,
            "POWERLOSS_SLOW_MS": slow_ms,
        }

    def power_on(self) -> None:
        """Begin a record: what is under the root now is on the disk. Nothing may write to it meanwhile."""
        shutil.rmtree(self._shadow, ignore_errors=True)
        for kind in ("pins", "dirs", "data"):
            (self._shadow / kind).mkdir(parents=True)
        self.root.mkdir(exist_ok=True)
        self._inode = self.root.stat().st_ino
        self._start = actual(self.root)
        for path in (self.root, *self.root.rglob("*")):
            inode = str(path.lstat().st_ino)
            if path.is_dir():
                (self._shadow / "dirs" / inode).touch()
            elif path.is_file():
                (self._shadow / "pins" / inode).hardlink_to(path)
                shutil.copy2(path, self._shadow / "data" / inode)

    def cut(self, kind: Cut, chance: random.Random) -> Left:
        """Replace the root by what is left of it. The process must have been killed before."""
        record = self._record()
        now = actual(self.root)
        self._check(replay(self._start, record), now)
        left = Left(self.syncs())
        names = self._names(kind, record, left.syncs, chance)
        after = self.root.with_name(self.root.name + ".after")
        compare_names(names, now, left)
        self._restore(names, self._inode, after, kind, chance, left)
        shutil.rmtree(self.root)
        after.rename(self.root)
        return left

    def syncs(self) -> list[Synced]:
        """Every sync of a file since the power is on."""
        file = self._shadow / "syncs"
        rows = [line.split("\t") for line in file.read_text().splitlines()] if file.exists() else []
        return [Synced(int(i), float(b), float(e), int(s), int(c), name) for i, b, e, s, c, name in rows]

    def _record(self) -> list[list[str]]:
        unknown = self._shadow / "unsupported"
        assert not unknown.exists(), f"the shim does not understand: {unknown.read_text()}"
        names = self._shadow / "names"
        assert names.exists(), "the shim was not loaded"
        return [line.split("\t") for line in names.read_text().splitlines()]

    def _check(self, told: Names, now: Names) -> None:
        """The record explains what is there, but for the one change that the kill fell into."""
        pairs = {f: (set(told.get(f, {}).items()), set(names.items())) for f, names in now.items()}
        differing = {name for a, b in pairs.values() for name, _ in a ^ b}
        assert len(differing) <= IN_FLIGHT, f"names that changed unseen: {sorted(differing)}"

    def _names(self, kind: Cut, record: list[list[str]], syncs: list[Synced], chance: random.Random) -> Names:
        if kind.names == "strict":
            return synced_names(self._start, record)
        changes = [row for row in record if row[0] != "sync"]
        least = max([0, *(sync.changes for sync in syncs), *(int(r[2]) for r in record if r[0] == "sync")])
        return replay(self._start, changes[: chance.randint(least, len(changes))])

    def _restore(
        self, names: Names, folder: int, target: Path, kind: Cut, chance: random.Random, left: Left
    ) -> None:
        target.mkdir()
        for name, inode in names.get(folder, {}).items():
            if (self._shadow / "dirs" / str(inode)).exists():
                self._restore(names, inode, target / name, kind, chance, left)
            else:
                self._restore_file(inode, target / name, kind, chance, left)

    def _restore_file(self, inode: int, target: Path, kind: Cut, chance: random.Random, left: Left) -> None:
        pin, kept = self._shadow / "pins" / str(inode), self._shadow / "data" / str(inode)
        synced, live = kept.read_bytes() if kept.exists() else b"", pin.read_bytes()
        if target.suffix == APPENDED:
            short = min(len(synced), len(live))
            assert synced[:short] == live[:short], f"{target.name} was not only appended to"
        data = torn(synced, live, kind.data, chance)
        if target.suffix == APPENDED:
            left.lost_bytes += max(0, len(live) - len(data))  # an unsynced truncation gives bytes back
        if data not in (synced, live):
            left.torn.append(target.name)
        target.write_bytes(data)
        shutil.copystat(pin, target)  # resend keys have an age


def actual(root: Path) -> Names:
    """The names under a folder that is not in use."""
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    return {
        folder.stat().st_ino: {
            path.name: path.lstat().st_ino for path in folder.iterdir() if path.is_file() or path.is_dir()
        }
        for folder in folders
    }


def replay(start: Names, rows: list[list[str]]) -> Names:
    """The names after some lines of the record."""
    names = {folder: dict(entries) for folder, entries in start.items()}
    for row in rows:
        change(names, row)
    return names


def change(names: Names, row: list[str]) -> None:
    match row:
        case ["link", folder, inode, kind, name]:
            names.setdefault(int(folder), {})[name] = int(inode)
            if kind == "d":
                names.setdefault(int(inode), {})
        case ["unlink", folder, name]:
            names[int(folder)].pop(name, None)
        case ["move", folder, name, other, new_name]:
            names[int(other)][new_name] = names[int(folder)].pop(name)
        case ["sync", *_]:
            pass
        case _:
            raise AssertionError(f"a line of the record that nobody knows: {row}")


def synced_names(start: Names, record: list[list[str]]) -> Names:
    """Each folder's names as they were when its last successful sync began."""
    wanted: dict[int, set[int]] = {}
    for row in record:
        if row[0] == "sync":
            wanted.setdefault(int(row[2]), set()).add(int(row[1]))
    names, kept, then = replay(start, []), replay(start, []), {}
    changes = (row for row in record if row[0] != "sync")
    for count, row in enumerate([["sync"], *changes]):  # the first changes nothing: `count` counts the others
        change(names, row)
        then.update({(count, folder): dict(names.get(folder, {})) for folder in wanted.get(count, ())})
    for row in record:
        if row[0] == "sync":
            kept[int(row[1])] = then[int(row[2]), int(row[1])]
    return kept


def compare_names(kept: Names, now: Names, left: Left) -> None:
    for folder in kept.keys() & now.keys():
        left.lost_names += sorted(now[folder].keys() - kept[folder].keys())
        left.undead_names += sorted(kept[folder].keys() - now[folder].keys())


def torn(synced: bytes, live: bytes, kind: str, chance: random.Random) -> bytes:
    """What a disk may hold of a file that was `synced` and is `live` in memory."""
    if kind == "synced" or synced == live:
        return synced
    if kind == "prefix":
        at = chance.randint(first_difference(synced, live), len(live))
        return live[:at] + synced[at:]
    size = chance.randint(min(len(synced), len(live)), max(len(synced), len(live)))
    return b"".join(sectors(synced, live, size, chance))


def first_difference(one: bytes, other: bytes) -> int:
    short = min(len(one), len(other))
    if one[:short] == other[:short]:
        return short
    return next(at for at in range(short) if one[at] != other[at])


def sectors(synced: bytes, live: bytes, size: int, chance: random.Random) -> Iterator[bytes]:
    """Each sector old or new; one that was never written is zeros."""
    for at in range(0, size, SECTOR):
        end = min(at + SECTOR, size)
        old, new = (part[at:end].ljust(end - at, b"\0") for part in (synced, live))
        yield new if chance.random() < KEPT_SHARE else old
