"""Resend keys in the journal: known while pending, after a restart, and when their lines are forgotten."""

import asyncio
import threading

import pytest

from ingest.resends import resend_key
from tests.ingest.bench import Journals, append, data, until

KEY = resend_key(b"chunk", b"frame")
OTHER = resend_key(b"chunk", b"other frame")


async def test_keys_are_known_while_pending_and_afterwards(journals: Journals) -> None:
    journal = journals()
    append(journal, b"frame", None, KEY)
    assert KEY in journal.resends
    assert OTHER not in journal.resends
    journal.flush()
    assert KEY in journal.resends


@pytest.mark.parametrize("end", ["close", "kill"])
async def test_keys_are_known_after_a_restart(journals: Journals, end: str) -> None:
    first = journals()
    append(first, b"frame", None, KEY)
    first.flush()
    await (journals.close(first) if end == "close" else journals.kill(first))
    second = journals()
    assert KEY not in second.resends
    await second.load_resends()
    assert KEY in second.resends
    assert OTHER not in second.resends


async def test_keys_of_what_was_never_written_are_unknown_after_a_restart(journals: Journals) -> None:
    first = journals()
    append(first, b"frame", None, KEY)
    await journals.kill(first)
    second = journals()
    await second.load_resends()
    assert KEY not in second.resends


@pytest.mark.parametrize("end", ["close", "kill"])
async def test_keys_outlive_the_lines_they_belong_to(journals: Journals, end: str) -> None:
    first = journals()
    append(first, b"frame", None, KEY)
    first.flush()
    first.roll()
    first.forget(first.segments[-1].base)
    assert data(first) == []
    await until(lambda: list(journals.folder.glob("*.keys")))
    await (journals.close(first) if end == "close" else journals.kill(first))
    second = journals()
    await second.load_resends()
    assert KEY in second.resends
    second.forget(second.start_position)
    await journals.kill(second)
    third = journals()
    await third.load_resends()
    assert KEY in third.resends


async def test_keys_are_left_only_once_their_lines_are_synced(
    journals: Journals, slow_disk: threading.Event
) -> None:
    """After a power cut, keys without lines would swallow a frame that never was acknowledged."""
    journal = journals(always=True)
    append(journal, b"frame", None, KEY)
    journal.flush()
    journal.roll()
    await asyncio.sleep(0.02)
    assert list(journals.folder.glob("*.keys")) == []
    slow_disk.set()
    await until(lambda: list(journals.folder.glob("*.keys")))
