"""What the quarantine keeps, and what it survives."""

import json
from pathlib import Path

from storage.metrics import Metrics
from storage.quarantine import Quarantine
from storage.store import Rejection
from tests.storage.factories import event


def test_a_refused_event_is_kept_as_a_readable_line(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "quarantine", Metrics())
    refused = event(1)
    quarantine.take([Rejection(refused, "mapping", "no such type"), Rejection(event(2), "mapping", "again")])
    lines = (tmp_path / "quarantine" / "rejected.ndjson").read_text().splitlines()
    first = json.loads(lines[0])
    assert len(lines) == 2
    assert (first["id"], first["reason"], first["message"]) == (refused.id, "mapping", "no such type")
    assert first["event"]["message"] == refused.message


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "quarantine").write_text("a file stands in the way")
    metrics = Metrics()
    Quarantine(tmp_path / "quarantine", metrics).take([Rejection(event(1), "mapping", "no such type")])
    lost = metrics.registry.get_sample_value("logdock_dropped_total", {"reason": "quarantine_failed"})
    assert lost == 1
