"""Which containers have ended is known after a restart."""

import asyncio
from pathlib import Path

import pytest

from ingest import ends as ends_module
from ingest.ends import FILE, Ends
from ingest.entries import Kind, Protocol
from ingest.presence import Presence
from parsers.event import Container
from tests.ingest.bench import ID, OTHER_ID, Journals, closing, frame, put, saying, until
from tests.ingest.handing_on import House


async def test_over_a_restart_until_it_speaks_again(journals: Journals) -> None:
    journal = journals()
    house = House(journal)
    put(journal, frame("a"), connection=1)
    put(journal, frame("b", container_id=OTHER_ID), connection=2)
    journal.append(Kind.CLOSE, Protocol.FORWARD, 1)
    await house.read_all()
    await journals.close(journal)
    again = House(journals())
    again.start()
    presence = again.pipeline.presence
    await until(lambda: presence.connected([ID]) is False)
    assert presence.connected([OTHER_ID]) is None
    put(again.journal, frame("c"), connection=1)
    await until(lambda: presence.connected([ID]) is True)
    await again.stop()
    assert presence.ended() == []
    assert (again.journal.folder / FILE).read_bytes() == b"[]"


async def test_it_is_saved_while_the_server_runs(journals: Journals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends_module, "SAVE_SECONDS", 0.01)
    journal = journals()
    house = House(journal)
    house.start()
    put(journal, frame("a"), connection=1)
    journal.append(Kind.CLOSE, Protocol.FORWARD, 1)
    await until(lambda: (journal.folder / FILE).exists())
    assert (journal.folder / FILE).read_bytes() == f'["{ID}"]'.encode()
    await house.stop()


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'["\xff"]', b"[["])
def test_a_file_that_is_none_says_nothing(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_bytes(content)
    presence = Presence()
    Ends(presence, tmp_path).recall()
    assert presence.ended() == []
    assert "cannot read" in caplog.text


async def test_a_disk_that_takes_nothing_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ends_module, "write_durably", full)
    monkeypatch.setattr(ends_module, "SAVE_SECONDS", 0.001)
    presence = Presence()
    presence.spoke(saying(1), Container(ID, "web"))
    presence.mark(closing(1))
    keeping = asyncio.create_task(Ends(presence, tmp_path).keep())
    presence.apply()
    await until(lambda: caplog.text.count("No space left") >= 2)
    assert not keeping.done()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
