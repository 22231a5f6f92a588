"""A small disk that fills up: a tmpfs, and the faults that fill it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.chaos.faults import Deed, Fault
from tests.real.chaos.site import Site

BALLAST = "ballast"
MIB = 1 << 20


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A tmpfs of that size, mounted on `folder`. Needs root."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "logdock-chaos", str(folder)], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Leave not one byte."""
    with (disk / BALLAST).open("ab", buffering=0) as file:
        for size in (MIB, 4096, 1):
            block = bytes(size)
            while True:
                try:
                    if os.write(file.fileno(), block) < size:
                        break
                except OSError:
                    break


def make_room(disk: Path) -> None:
    (disk / BALLAST).unlink(missing_ok=True)


def full(name: str, disk: Path, then: Deed | None = None) -> Fault:
    """The disk fills up, and `then` something else happens. It has room again when the fault is undone."""

    def inject(site: Site) -> None:
        fill(disk)
        if then is not None:
            then(site)

    return Fault(name, inject, lambda _: make_room(disk), (1.0, 4.0))


def start_again(site: Site) -> None:
    """Killed and started while there is no room. If it cannot start, it is started again and again."""
    site.kill()
    site.launch()


def stop_and_start(site: Site) -> None:
    """SIGTERM must end it as always."""
    site.terminate()
    site.launch()


def full_disks(disk: Path) -> list[Fault]:
    return [
        full("disk full", disk),
        full("disk full, then killed and started", disk, start_again),
        full("disk full, then stopped and started", disk, stop_and_start),
    ]
