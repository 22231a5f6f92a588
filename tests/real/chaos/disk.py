"""The faults that fill a small disk."""

import os
import shutil
import time
from pathlib import Path

from tests.real.chaos.faults import Deed, Fault
from tests.real.chaos.kept import STREAM
from tests.real.chaos.site import Site

BALLAST = "ballast"
MIB = 1 << 20


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


def retry_shards(site: Site) -> None:
    """What an operator does when there is room again: Elasticsearch gives a shard up after five tries."""
    site.ask("POST", "/_cluster/reroute?retry_failed=true")


def store_full(disk: Path) -> Fault:
    """Elasticsearch cannot write its own files any more."""

    def heal(site: Site) -> None:
        make_room(disk)
        retry_shards(site)

    return Fault("Elasticsearch's disk full", lambda _: fill(disk), heal, (2.0, 6.0))


WATERMARKS = "cluster.routing.allocation.disk"
READ_ONLY = "index.blocks.read_only_allow_delete"
DISK_CHECKS = {"cluster.info.update.interval": "10s"}  # the least that Elasticsearch allows
FLOOD_SECONDS = 15.0  # until it has looked once more


def flood_stage(disk: Path) -> Fault:
    """Elasticsearch makes its indices read-only by itself because little room is left, and lets go later."""

    def watermarks(site: Site, value: str | None) -> None:
        levels = {f"{WATERMARKS}.watermark.{name}": value for name in ("low", "high", "flood_stage")}
        on = {f"{WATERMARKS}.threshold_enabled": None if value is None else True}
        site.ask(
            "PUT",
            "/_cluster/settings",
            {"persistent": {**levels, **on}},
        )

    def inject(site: Site) -> None:
        watermarks(site, f"{2 * shutil.disk_usage(disk).free}b")

    def heal(site: Site) -> None:
        found = site.ask("GET", f"/{STREAM}/_settings?flat_settings=true").values()
        assert any(READ_ONLY in index["settings"] for index in found), "Elasticsearch blocked nothing"
        watermarks(site, "1b")
        time.sleep(FLOOD_SECONDS)
        watermarks(site, None)

    return Fault("flood stage", inject, heal, (FLOOD_SECONDS, FLOOD_SECONDS))
