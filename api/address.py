"""Addresses to listen on, and whether other machines could reach them."""

from __future__ import annotations

import ipaddress
from typing import Literal

import msgspec


class Address(msgspec.Struct, frozen=True):
    """Where to listen: a host and port (kind "tcp", for UDP too) or the path of a unix socket.

    An empty host means every interface; port 0 lets the system choose.
    """

    kind: Literal["tcp", "unix"]
    host: str = ""
    port: int = 0
    path: str = ""

    @property
    def is_loopback(self) -> bool:
        """Only this machine can reach it."""
        return self.kind == "unix" or is_loopback_host(self.host)

    def __str__(self) -> str:
        if self.kind == "unix":
            return f"unix://{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """An Address from host:port, [ipv6]:port, :port or unix:///path; ValueError says what to write."""
    scheme, separator, rest = text.partition("://")
    if scheme == "unix" and separator:
        return _unix_address(text, rest)
    if separator and scheme not in ("tcp", "udp"):
        raise ValueError(f"{text!r} is not an address: write host:port or unix:///path")
    return _tcp_address(text, rest if separator else text)


def _unix_address(text: str, path: str) -> Address:
    if not path.startswith("/") or path == "/":
        raise ValueError(f"{text!r} needs an absolute path: write unix:///run/logdock.sock")
    return Address("unix", path=path)


def _tcp_address(text: str, rest: str) -> Address:
    host, separator, port = rest.rpartition(":")
    if not separator or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r} has no port (0 to 65535): write host:port, such as 127.0.0.1:24224")
    if host.startswith("[") and host.endswith("]"):
        return Address("tcp", host=_ipv6(text, host[1:-1]), port=int(port))
    if ":" in host:
        raise ValueError(f"{text!r} is ambiguous: write an IPv6 address in brackets, such as [::1]:24224")
    return Address("tcp", host=host, port=int(port))


def _ipv6(text: str, host: str) -> str:
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        raise ValueError(f"{text!r} has no IPv6 address in its brackets: write it like [::1]:24224") from None


def is_loopback_host(host: str) -> bool:
    """`host` is a name or address that only this machine answers to.

    localhost and its subdomains never leave the machine (RFC 6761, section 6.3).
    """
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
