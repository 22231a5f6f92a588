import pytest

from api.address import Address, is_loopback_host, parse_address


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("127.0.0.1:8080", Address("tcp", "127.0.0.1", 8080), "127.0.0.1:8080"),
        ("localhost:0", Address("tcp", "localhost", 0), "localhost:0"),
        ("[::1]:24224", Address("tcp", "::1", 24224), "[::1]:24224"),
        (":9000", Address("tcp", "", 9000), ":9000"),
        ("tcp://127.0.0.1:1", Address("tcp", "127.0.0.1", 1), "127.0.0.1:1"),
        ("udp://127.0.0.1:12201", Address("tcp", "127.0.0.1", 12201), "127.0.0.1:12201"),
        ("unix:///run/x.sock", Address("unix", path="/run/x.sock"), "unix:///run/x.sock"),
    ],
)
def test_addresses(text: str, address: Address, shown: str) -> None:
    assert parse_address(text) == address
    assert str(address) == shown


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("8080", "write host:port"),
        ("127.0.0.1", "write host:port"),
        ("127.0.0.1:", "write host:port"),
        ("127.0.0.1:70000", "write host:port"),
        ("127.0.0.1:-1", "write host:port"),
        ("127.0.0.1:\u0661", "write host:port"),
        ("::1:24224", "in brackets"),
        ("[nonsense]:1", r"like \[::1\]:24224"),
        ("http://127.0.0.1:1", "unix:///path"),
        ("unix://relative", "absolute path"),
        ("unix:///", "absolute path"),
    ],
)
def test_errors_say_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        parse_address(text)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "localhost",
        "LocalHost",
        "a.localhost",
        "localhost.",
        "::ffff:127.0.0.1",
    ],
)
def test_loopback(host: str) -> None:
    assert is_loopback_host(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "192.168.1.1", "example.com", "localhost.example.com", "127.0.0.1.nip.io"]
)
def test_beyond_loopback(host: str) -> None:
    assert not is_loopback_host(host)


def test_a_unix_socket_stays_on_the_machine() -> None:
    assert parse_address("unix:///run/x.sock").is_loopback
    assert not parse_address(":24224").is_loopback
