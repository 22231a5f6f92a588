"""A log driver's address as Docker reads it, and what is wrong with it.

Sources: parseAddress of daemon/logger/fluentd/fluentd.go (since 23.0 with Go's net/url, before that
net.SplitHostPort behind a prefix) and of daemon/logger/gelf/gelf.go; Go's net/url/url.go.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from api.doctor.versions import Version

FLUENTD_HOST, FLUENTD_PORT = "127.0.0.1", 24224
GELF_PORT = 12201

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SLIP = re.compile(r"(tcp|tls|udp):/?(?=[^/\d]|\d+\.)")  # tcp:127.0.0.1, tcp:/logs
_HOST = re.compile(r"[^\s,/?#@:<>\"\\^`{|}\[\]]*")  # Go's URLs take a comma, but no driver takes two hosts
_OLD_SCHEMES = ("udp", "unixgram")  # 20.10 takes them and fails at the dial: unknown network
_PORT = re.compile(r"\d+", re.ASCII)
MAX_PORT = 65535

URLS = Version(23)  # the fluentd driver reads its address as a URL, and has tls://, since then


@dataclass(frozen=True)
class Target:
    """Where lines go: scheme tcp, tls, udp or unix."""

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix://{self.path}"
        return f"{self.scheme}://{self.bracketed}:{self.port}"

    @property
    def bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def is_loopback(self) -> bool:
        """Only this machine; an empty host is this machine too."""
        if self.scheme == "unix" or self.host in ("", "localhost", "0.0.0.0"):
            return True
        address = ip(self.host)
        return address is not None and address.is_loopback


class AddressError(ValueError):
    """Docker cannot use the address. `code` is the finding's; `better` an address that means the same and is
    taken, if there is one; `when` it comes to light: file (with the option), start (of a container), never
    (lines are lost)."""

    def __init__(self, code: str, message: str, better: str | None = None, when: str = "file") -> None:
        super().__init__(message)
        self.code = code
        self.better = better
        self.when = when


def ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def fluentd_target(text: str, version: Version) -> Target:
    """Raises AddressError. An empty text is Docker's default."""
    if not text:
        return Target("tcp", FLUENTD_HOST, FLUENTD_PORT)
    scheme, rest = _split(text, version)
    if scheme == "unix":
        return _unix(rest, late=version < URLS)
    if scheme == "tls" and version < URLS:
        raise AddressError("tls-unsupported", f"Docker {version} has no tls://", _plain_tcp(rest))
    if scheme not in ("tcp", "tls", ""):
        better = _plain(rest, "", FLUENTD_PORT)
        when = "start" if version < URLS and scheme in _OLD_SCHEMES else "file"
        raise AddressError("address-scheme", f"fluentd has no {scheme}://", better, when)
    prefix = f"{scheme}://" if scheme else ""
    if version >= URLS:
        rest = _without_user(rest)
    elif scheme:
        rest = rest.partition("/")[0]  # a path is ignored there
    elif rest.endswith(":"):
        raise AddressError("address-port", "no port behind the colon", _plain(rest, "", FLUENTD_PORT))
    host, port = _authority(rest, prefix, FLUENTD_PORT, late=version < URLS)
    if ":" in host:
        better = f"{prefix}127.0.0.1:{port or FLUENTD_PORT}" if Target("tcp", host).is_loopback else None
        raise AddressError(
            "address-ipv6", f"the fluentd driver cannot dial the IPv6 address {host}", better, "start"
        )
    return Target(scheme or "tcp", host or FLUENTD_HOST, port or FLUENTD_PORT)


def gelf_target(text: str, version: Version) -> Target:
    """Raises AddressError. Scheme and port are required; a path is ignored."""
    if not text:
        raise AddressError("address-missing", "gelf-address is not given", "tcp://127.0.0.1:12201")
    scheme, rest = _split(text, version, gelf=True)
    authority = _without_user(re.split(r"[/?#]", rest, maxsplit=1)[0])
    if scheme not in ("udp", "tcp"):
        said = f"gelf has no {scheme}://" if scheme else "no udp:// or tcp:// before the address"
        raise AddressError("address-scheme", said, _plain(authority, "tcp://", GELF_PORT))
    host, port = _authority(authority, f"{scheme}://", GELF_PORT, late=True)
    if not port:
        when = "never" if authority.endswith((":", ":0")) else "file"
        raise AddressError("address-port", "no port", _plain(authority, f"{scheme}://", GELF_PORT), when)
    return Target(scheme, host, port)


def target(driver: str, text: str, version: Version) -> Target:
    return fluentd_target(text, version) if driver == "fluentd" else gelf_target(text, version)


def _split(text: str, version: Version, gelf: bool = False) -> tuple[str, str]:
    """(scheme in lower case, the rest); no scheme is ''. Before 23.0 only lower case was one."""
    found, slip = _SCHEME.match(text), _SLIP.match(text)
    if slip is not None:
        better = f"{slip[1]}://{text[slip.end() :]}"
        when = "start" if version >= URLS and not gelf else "file"
        raise AddressError("address-scheme", f"{slip[1]}: needs two slashes behind it", better, when)
    if found is None:
        return "", text
    scheme, rest = found[1], text[found.end() :]
    if version < URLS and scheme != scheme.lower():
        raise AddressError(
            "address-scheme", f"{scheme}:// must be in lower case", f"{scheme.lower()}://{rest}"
        )
    return scheme.lower(), rest


def _plain_tcp(rest: str) -> str | None:
    """Leaving encryption away changes nothing on this machine; elsewhere a person must decide."""
    better = _plain(rest, "tcp://", FLUENTD_PORT)
    host = better.removeprefix("tcp://").rpartition(":")[0] if better else ""
    return better if better and Target("tcp", host).is_loopback else None


def _unix(rest: str, late: bool) -> Target:
    """What stands before the first slash would be a host: `unix://name` has no path at all."""
    path = "/" + rest.partition("/")[2] if "/" in rest else ""
    if not path.strip("/"):
        better = f"unix:///{rest.strip('/')}" if "." in rest else None
        when = "start" if late else "file"
        raise AddressError("address-path", "no absolute path after unix://", better, when)
    if not rest.startswith("/"):
        better = f"unix:///{rest}"
        message = f"the path must begin with a slash: Docker reads {path!r}"
        raise AddressError("address-path", message, better, "start")
    return Target("unix", path=path)


def _without_user(rest: str) -> str:
    """`user@host`: Go's URL keeps the user apart, and the drivers do not look at it."""
    authority, slash, path = rest.partition("/")
    return authority.rpartition("@")[2] + slash + path


def _authority(rest: str, prefix: str, default: int, late: bool) -> tuple[str, int | None]:
    """(host without brackets, port or None) of host:port. `late`: a bad port comes to light at a start, as
    with gelf and with fluentd before 23.0."""
    authority, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    if slash:
        better = _plain(authority, prefix, default)
        raise AddressError("address-path", f"/{path} behind the port: only unix:// has a path", better)
    host, port = _host_port(authority, prefix, default, late)
    if port is not None and not (_PORT.fullmatch(port) and int(port[:9]) <= MAX_PORT):
        better = f"{prefix}{host}:{default}" if _HOST.fullmatch(host) else None
        when = "start" if late and _PORT.fullmatch(port) else "file"
        raise AddressError("address-port", f"{port!r} is no port from 0 to {MAX_PORT}", better, when)
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if bare == host and not _HOST.fullmatch(host):
        when = "start" if late and default == FLUENTD_PORT else "file"
        raise AddressError(
            "address-host", f"{host!r} is no host", _plain(host.strip(), prefix, default), when
        )
    if bare != host and (ip(bare) is None or ":" not in bare):
        raise AddressError("address-host", f"{host!r} has no IPv6 address in its brackets")
    return bare, None if port is None else int(port)


def _host_port(authority: str, prefix: str, default: int, late: bool) -> tuple[str, str | None]:
    """`host:` has an empty port, which Go takes for none."""
    if authority.startswith("["):
        host, bracket, after = authority.rpartition("]")
        return (host + bracket, after[1:] or None) if after.startswith(":") else (authority, None)
    if authority.count(":") > 1:
        host, _, port = authority.rpartition(":")
        bare, given = (authority, str(default)) if ip(authority) is not None else (host, port)
        if ip(bare) is None:
            raise AddressError("address-host", f"{authority!r} has more than one colon")
        raise _unbracketed(bare, prefix, given, default, late)
    host, _, port = authority.partition(":")
    return host, port or None


def _unbracketed(literal: str, prefix: str, port: str, default: int, late: bool) -> AddressError:
    """Brackets help gelf, but not fluentd."""
    message = f"the IPv6 address {literal} needs brackets"
    if default == GELF_PORT:
        return AddressError("address-ipv6", message, f"{prefix}[{literal}]:{port}")
    better = f"{prefix}127.0.0.1:{port}" if Target("tcp", literal).is_loopback else None
    message = f"the fluentd driver cannot dial the IPv6 address {literal}"
    return AddressError("address-ipv6", message, better, "file" if late else "start")


def _plain(text: str, prefix: str, port: int) -> str | None:
    """`prefix` and host:port, when that much is clear."""
    host, _, given = re.split(r"[/?#]", text.strip(), maxsplit=1)[0].rpartition("@")[2].partition(":")
    if not host or not _HOST.fullmatch(host) or "%" in host:
        return None
    good = _PORT.fullmatch(given) and 0 < int(given[:9]) <= MAX_PORT
    return f"{prefix}{host}:{given if good else port}"
