"""A data folder of an earlier version, as it was left by kill -9, is read by this one (fixtures/upgrade).

scripts/make-upgrade-fixture made the folders with the code of the commit that each is named after.
"""

import asyncio
import base64
import contextlib
import json
import secrets
import sqlite3
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from api.serve import Server, StartError
from tests.api.running import Running, quick, running, settings  # noqa: F401 - fixtures
from tests.ingest.bench import ID, ack, frame
from tests.real.conftest import elasticsearch  # noqa: F401 - the fixture that finds or starts one
from tests.real.elastic import given_ca

FIXTURES = Path(__file__).parents[1] / "fixtures" / "upgrade"
EMBEDDED = sorted(path.stem.partition(".")[0] for path in FIXTURES.glob("*.tar.gz") if "-" not in path.name)
BEFORE_ELASTICSEARCH = sorted(path.name.partition(".")[0] for path in FIXTURES.glob("*-elasticsearch.tar.gz"))
# Marks that an earlier version did not know: this one makes its events of what is unsealed in the journal.
NEW_FLAGS = {"clock_ancient", "clock_future", "out_of_order"}

Event = dict[str, Any]


class Left(NamedTuple):
    """What the earlier version left: its REST's events, by id, and expected.json."""

    events: dict[str, Event]
    expected: dict[str, Any]

    @property
    def known(self) -> bytes:
        return base64.b64decode(self.expected["resend"])


def unpack(name: str, data: Path) -> Left:
    """Put the folder of a fixture to `data`."""
    folder = data.parent / name
    with tarfile.open(FIXTURES / f"{name}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    (folder / "data").rename(data)
    events = [json.loads(line) for line in (folder / "events.ndjson").read_text().splitlines()]
    return Left({event["id"]: event for event in events}, json.loads((folder / "expected.json").read_text()))


def options(left: Left) -> dict[str, Any]:
    """As the earlier version was started; nothing is old enough to go."""
    keep = {"retention": "off", "retention_size": "off", "store": "local"}
    return keep | {"tag_template": [left.expected["template"]], "hostname": left.expected["hostname"]}


async def kept(running: Running) -> dict[str, Event]:  # noqa: F811
    await running.settled()
    events = [json.loads(line) for line in (await running.get("/api/v1/logs/export")).text.splitlines()]
    assert len({event["id"] for event in events}) == len(events), "an id is there twice"
    return {event["id"]: event for event in events}


def changed(old: dict[str, Event], new: dict[str, Event]) -> list[str]:
    """Where a key of an old event is not what it was. New keys are welcome, and so are NEW_FLAGS."""
    found = []
    for name, event in old.items():
        now = new.get(name, {"flags": ()})
        now = now | {"flags": [f for f in now["flags"] if f in event["flags"] or f not in NEW_FLAGS]}
        found += [
            f"{name} {key}: {was!r} became {now.get(key)!r}"
            for key, was in event.items()
            if now.get(key) != was
        ]
    return found


def assert_only_the_open_line(left: Left, new: dict[str, Event]) -> None:
    """Of what the earlier version had not shown yet: the pieces that waited for their last one."""
    (line,) = (event for name, event in new.items() if name not in left.events)
    assert line["message"] == left.expected["open"]
    assert set(line["flags"]) - NEW_FLAGS == {"joined", "unterminated"}  # its connection ended


def test_there_is_something_to_upgrade_from() -> None:
    assert len(EMBEDDED) >= 2


@pytest.mark.parametrize("name", EMBEDDED)
async def test_every_line_is_what_it_was(running: Running, name: str) -> None:  # noqa: F811
    left = unpack(name, running.data)
    await running.start(**options(left))
    found = await kept(running)
    assert changed(left.events, found) == []
    assert_only_the_open_line(left, found)


@pytest.mark.parametrize("name", EMBEDDED)
async def test_new_lines_follow_the_old_ones(running: Running, name: str) -> None:  # noqa: F811
    left = unpack(name, running.data)
    await running.start(**options(left))
    before = await kept(running)
    await running.send(frame("after the upgrade", "new"), wanted=ack("new"))
    after = await kept(running)
    (new,) = (event for name, event in after.items() if name not in before)
    assert new["message"] == "after the upgrade"
    for number in ("sequence", "offset"):
        assert new[number] > max(event[number] for event in before.values())
    assert changed(before, after) == []


@pytest.mark.parametrize("name", EMBEDDED)
async def test_a_line_sent_again_is_still_known(running: Running, name: str) -> None:  # noqa: F811
    left = unpack(name, running.data)
    server = await running.start(**options(left))
    before = await kept(running)
    await running.send(left.known, wanted=ack(left.expected["chunk"]))
    assert await kept(running) == before
    assert server.metrics.resends._value.get() == 1


@pytest.mark.parametrize("name", EMBEDDED)
async def test_a_second_start_finds_the_same(running: Running, name: str) -> None:  # noqa: F811
    left = unpack(name, running.data)
    await running.start(**options(left))
    await running.send(frame("after the upgrade", "new"), wanted=ack("new"))
    before = await kept(running)
    await running.stop()
    await running.start(**options(left))
    assert await kept(running) == before


@pytest.mark.parametrize("name", EMBEDDED)
async def test_what_was_pruned_and_quarantined_is_still_told(running: Running, name: str) -> None:  # noqa: F811
    left = unpack(name, running.data)
    server = await running.start(**options(left))
    await running.settled()
    assert sum(record.lines for record in server.pruned.records()) == left.expected["pruned_lines"]
    (item,) = (await running.get("/api/v1/quarantine")).json()["items"]
    assert (item["reason"], item["event"]["message"]) == ("refused", "a line that was refused")


# -- before Elasticsearch ------------------------------------------------------------------------------


def rename_journal(data: Path, left: Left) -> Left:
    """Another name for the journal: what earlier runs of this test left in Elasticsearch is not of it."""
    old, new = (data / "journal" / "id").read_text(), secrets.token_hex(4)
    for file in (data / "journal" / "id", data / "elastic-commit.json"):
        file.write_text(file.read_text().replace(old, new))
    events = [event | {"id": event["id"].replace(old, new)} for event in left.events.values()]
    return Left({event["id"]: event for event in events}, left.expected)


async def in_elasticsearch(running: Running, count: int) -> dict[str, Event]:  # noqa: F811
    """What it has of the journal that is running, once that is `count` events or more."""
    assert running.server is not None
    await running.settled()
    mine = f"{running.server.journal.identity}."
    senders = (f"container={'a1' * 32}", f"container={ID}", "tag=app.worker")
    for _ in range(100):
        answers = [await running.get(f"/api/v1/logs/export?{sender}") for sender in senders]
        lines = [json.loads(line) for answer in answers for line in answer.text.splitlines()]
        events = [event for event in lines if event["id"].startswith(mine)]
        if len(events) >= count:
            break
        await asyncio.sleep(0.1)
    assert len({event["id"] for event in events}) == len(events), "an id is there twice"
    return {event["id"]: event for event in events}


@pytest.mark.elasticsearch
@pytest.mark.parametrize("name", BEFORE_ELASTICSEARCH)
async def test_only_what_was_not_committed_is_sent(
    running: Running,  # noqa: F811
    elasticsearch: str,  # noqa: F811
    name: str,
) -> None:
    """What is before it is in another Elasticsearch: only the commit file keeps it out of this one."""
    left = rename_journal(running.data, unpack(name, running.data))
    await running.start(**options(left) | {"store": elasticsearch, "elasticsearch_ca": given_ca()})
    found = await in_elasticsearch(running, len(left.events) + 1)
    assert changed(left.events, found) == []
    assert_only_the_open_line(left, found)
    await running.send(left.known, frame("new", "new"), wanted=ack(left.expected["chunk"]) + ack("new"))
    after = await in_elasticsearch(running, len(found) + 1)
    assert [event["message"] for name, event in after.items() if name not in found] == ["new"]


# -- the other way round -------------------------------------------------------------------------------


async def test_the_catalogue_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """In one line that names both versions; nothing of the folder is touched but the journal's own start."""
    left = unpack(EMBEDDED[0], tmp_path / "data")
    files = {path: path.read_bytes() for path in (tmp_path / "data" / "store").rglob("*.parquet")}
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "store" / "catalogue.sqlite")) as catalogue:
        catalogue.execute("PRAGMA user_version = 99")
    with pytest.raises(StartError) as caught:
        await Server(settings(tmp_path / "data", **options(left))).start()
    text = str(caught.value)
    assert "of version 99, of a newer logdock; this one knows" in text
    assert "\n" not in text
    assert {path: path.read_bytes() for path in files} == files


async def test_a_folder_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    left = unpack(EMBEDDED[0], tmp_path / "data")
    (tmp_path / "data" / "format").write_text('{"format":99,"by":"9.9"}')
    files = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()}
    with pytest.raises(StartError, match=r"format 99, written by logdock 9\.9"):
        await Server(settings(tmp_path / "data", **options(left))).start()
    after = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()}
    after.pop(tmp_path / "data" / "lock", None)
    assert after == {path: was for path, was in files.items() if path.name != "lock"}
