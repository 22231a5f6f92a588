from pathlib import Path

import pytest

from api.doctor import fix
from api.doctor.examine import sorted_findings
from tests.api.doctor.cases import ACK, ASYNC, FLUENTD, GELF_TCP, GELF_UDP, RING, context, file, look

SHIPPED = sorted((Path(__file__).parents[3] / "compose").glob("*.json"))
PLAIN = {
    "nothing but the driver": file("fluentd"),
    "an address": file("fluentd", {"fluentd-address": "logs.example.com:24224"}),
    "a socket": file("fluentd", {"fluentd-address": "unix:///run/logdock.sock"}),
    "sync": file("fluentd", FLUENTD),
    "acknowledged": file("fluentd", {**FLUENTD, **ACK, **RING}),
    "async": file("fluentd", {**FLUENTD, **ASYNC}),
    "gelf tcp": file("gelf", {"gelf-address": "tcp://127.0.0.1:12201"}),
    "gelf tcp, more": file("gelf", GELF_TCP),
    "gelf udp": file("gelf", GELF_UDP),
    "much else": file(
        "fluentd", FLUENTD, **{"live-restore": True, "debug": True, "hosts": ["unix://"], "mtu": 1450}
    ),
}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
@pytest.mark.parametrize("version", ["20.10.24", "26.1", "28.5", "29.7"])
def test_our_own_files_are_fine_and_stay_as_they_are(path: Path, version: str) -> None:
    text = path.read_text()
    examined = look(text, version)
    assert [finding.code for finding in examined.findings if finding.counts] == []
    assert fix.correct(examined, context(version)).text == text


@pytest.mark.parametrize("version", ["20.10.24", "26.1", "29.7"])
@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_a_plain_good_file_gives_no_warnings(text: str, version: str) -> None:
    found = look(text, version).findings
    assert [finding.code for finding in found if finding.counts] == []


def test_the_worst_comes_first() -> None:
    found = look(
        file("fluentd", {"fluentd-max-retries": "0", "fluentd-async": True, "bogus-name": "1"})
    ).findings
    severities = [finding.severity for finding in sorted_findings(found)]
    assert severities == sorted(severities, key=["error", "warning", "advice"].index)
    assert {"error", "warning", "advice"} == set(severities)


def test_bytes_that_are_no_text() -> None:
    data = b'{"log-driver": "fluentd", "log-opts": {"tag": "\xff"}}'
    [finding] = [f for f in look(data).findings if f.counts]
    assert (finding.code, finding.severity) == ("json-encoding", "error")
    assert fix.correct(look(data), context()).text is None
    [finding] = [f for f in look(data, "20.10.24").findings if f.counts]
    assert finding.severity == "warning"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark(encoding: str) -> None:
    data = file("fluentd", FLUENTD).encode(encoding)
    [new] = [f for f in look(data, "26.1").findings if f.code == "json-bom"]
    [old] = [f for f in look(data, "20.10.24").findings if f.code == "json-bom"]
    assert (new.severity, old.severity) == ("advice", "error")
    assert fix.correct(look(data), context()).text == file("fluentd", FLUENTD)


def test_an_engine_that_is_not_told_apart_takes_what_it_knows() -> None:
    async_interval = file("fluentd", {**FLUENTD, **ASYNC, "fluentd-async-reconnect-interval": "1s"})
    assert [f.code for f in look(async_interval, "26.1").findings if f.counts] == []
    assert [f.code for f in look(async_interval, "19.03").findings if f.counts] == ["opt-version"]
