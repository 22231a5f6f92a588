"""Addresses as each engine reads them; real ones are asked in tests/real/test_doctor.py."""

import pytest

from api.doctor.target import AddressError, Target, fluentd_target, gelf_target, target
from api.doctor.versions import Version

OLD, NEW = Version(20, 10), Version(26, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "tcp://127.0.0.1:24224"),
        ("localhost", "tcp://localhost:24224"),
        (":1", "tcp://127.0.0.1:1"),
        ("tcp://", "tcp://127.0.0.1:24224"),
        ("h:0", "tcp://h:24224"),
        ("tls://h", "tls://h:24224"),
        ("unix:///run/a.sock", "unix:///run/a.sock"),
        ("tcp://h:1?x=1", "tcp://h:1"),
        ("TCP://h:1", "tcp://h:1"),
        ("u@h:1", "tcp://h:1"),
        ("tcp:24224", "tcp://tcp:24224"),
        ("h:", "tcp://h:24224"),
    ],
)
def test_fluentd(text: str, expected: str) -> None:
    assert str(fluentd_target(text, NEW)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("udp://h:1", "udp://h:1"),
        ("tcp://[::1]:1", "tcp://[::1]:1"),
        ("udp://:1", "udp://:1"),
        ("udp://h:1/path?q", "udp://h:1"),
        ("UDP://h:1", "udp://h:1"),
        ("tcp://u@h:1", "tcp://h:1"),
    ],
)
def test_gelf(text: str, expected: str) -> None:
    assert str(gelf_target(text, NEW)) == expected


@pytest.mark.parametrize(
    ("driver", "text", "version", "code", "better", "when"),
    [
        ("fluentd", "[fe80::1%eth0]:1", NEW, "address-ipv6", None, "start"),
        ("fluentd", "::1", OLD, "address-ipv6", "127.0.0.1:24224", "file"),
        ("fluentd", "udp://h:1", OLD, "address-scheme", "h:1", "start"),
        ("fluentd", "unix://", OLD, "address-path", None, "start"),
        ("fluentd", "h:99999", OLD, "address-port", "h:24224", "start"),
        ("fluentd", "a,b:1", NEW, "address-host", None, "file"),
        ("fluentd", "[x]:1", NEW, "address-host", None, "file"),
        ("fluentd", "1:2:3", NEW, "address-host", None, "file"),
        ("gelf", "", NEW, "address-missing", "tcp://127.0.0.1:12201", "file"),
        ("gelf", "tcp://h", NEW, "address-port", "tcp://h:12201", "file"),
        ("gelf", "udp://h:", NEW, "address-port", "udp://h:12201", "never"),
        ("gelf", "UDP://h:1", OLD, "address-scheme", "udp://h:1", "file"),
        ("gelf", "udp:h:1", NEW, "address-scheme", "udp://h:1", "file"),
        ("gelf", "unix:///x", NEW, "address-scheme", None, "file"),
    ],
)
def test_refused(driver: str, text: str, version: Version, code: str, better: str | None, when: str) -> None:
    with pytest.raises(AddressError) as raised:
        target(driver, text, version)
    assert (raised.value.code, raised.value.better, raised.value.when) == (code, better, when)


def test_the_path_is_ignored_before_urls() -> None:
    assert fluentd_target("tcp://h:1/x", OLD) == Target("tcp", "h", 1)
    with pytest.raises(AddressError):
        fluentd_target("h:1/x", OLD)


@pytest.mark.parametrize("host", ["", "localhost", "127.0.0.2", "::1", "0.0.0.0"])
def test_loopback(host: str) -> None:
    assert Target("tcp", host, 1).is_loopback
    assert not Target("tcp", "10.0.0.1", 1).is_loopback


def test_any_text_is_read_or_refused() -> None:
    import random

    dice = random.Random(3)
    for _ in range(3000):
        text = "".join(dice.choice("tcpudlunix:/.@[]?#%,1209 \té") for _ in range(dice.randrange(20)))
        for driver in ("fluentd", "gelf"):
            for version in (OLD, NEW):
                try:
                    found = target(driver, text, version)
                except AddressError as error:
                    if error.better is not None and error.code != "address-ipv6":
                        target(driver, error.better, NEW)
                else:
                    assert 0 <= found.port <= 65535
