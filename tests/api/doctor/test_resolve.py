import socket
import time

import pytest

from api.doctor import resolve


def test_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(host: str, _port: None) -> list[object]:
        if host == "known":
            return [object()]
        raise socket.gaierror(socket.EAI_NONAME if host == "unknown" else socket.EAI_AGAIN, "no")

    monkeypatch.setattr(resolve.socket, "getaddrinfo", lookup)
    assert resolve.resolves("known") is True
    assert resolve.resolves("unknown") is False
    assert resolve.resolves("later") is None


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(resolve.socket, "getaddrinfo", lambda *_: time.sleep(1))
    start = time.monotonic()
    assert resolve.resolves("slow") is None
    assert time.monotonic() - start < 0.5


def test_a_name_that_is_none() -> None:
    assert resolve.resolves("a" * 300) is False
    assert resolve.resolves("localhost") is True
