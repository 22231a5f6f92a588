"""Whose folder it is: an older logdock does not touch a newer one's."""

import errno
import json
from importlib.metadata import version
from pathlib import Path

import pytest

from ingest import folder_format
from ingest.folder_format import CURRENT, FILE, UnknownFormat, claim_format


def test_a_folder_without_a_note_is_taken_and_noted(tmp_path: Path) -> None:
    claim_format(tmp_path)
    written = (tmp_path / FILE).read_text()
    assert json.loads(written) == {"format": CURRENT, "by": version("logdock")}
    (tmp_path / FILE).write_text('{"format":1,"by":"another of this format","more":true}')
    claim_format(tmp_path)
    assert "another" in (tmp_path / FILE).read_text()


def test_an_older_format_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim_format(tmp_path)
    monkeypatch.setattr(folder_format, "CURRENT", CURRENT + 1)
    claim_format(tmp_path)
    assert json.loads((tmp_path / FILE).read_text())["format"] == CURRENT + 1


def test_a_newer_format_is_refused_in_one_line(tmp_path: Path) -> None:
    note = '{"format":99,"by":"7.5"}'
    (tmp_path / FILE).write_text(note)
    with pytest.raises(UnknownFormat, match=r"format 99, written by logdock 7\.5; .* up to 1") as caught:
        claim_format(tmp_path)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).read_text() == note


@pytest.mark.parametrize("note", [b"", b"two", b"[]", b'{"by":"7.5"}', b'{"format":"1"}', b"\xff\xfe"])
def test_an_unclear_note_is_refused(tmp_path: Path, note: bytes) -> None:
    (tmp_path / FILE).write_bytes(note)
    with pytest.raises(UnknownFormat, match="does not say which logdock"):
        claim_format(tmp_path)


def test_a_full_disk_keeps_nobody_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder_format, "write_durably", full)
    claim_format(tmp_path)
    assert "No space left" in caplog.text
