"""Bad files, what must be found in each, and how each must be after --fix. Real dockerd is asked about the
same ones in tests/real/test_doctor.py.

A file is written with an indentation of two, so the corrected one must be exactly that again: whatever is not
wrong stays as it is, in its place.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.doctor import engine
from api.doctor.compose import Compose
from api.doctor.examine import Context, Examined, examine
from api.doctor.findings import ADVICE, ERROR, WARNING, Finding, Severity

LABELS = {"labels-regex": r"^com\.docker\."}
PRECISE = {"fluentd-sub-second-precision": "true"}
FLUENTD = {"fluentd-address": "127.0.0.1:24224", **PRECISE, **LABELS}
GELF_TCP = {"gelf-address": "tcp://127.0.0.1:12201", "gelf-tcp-max-reconnect": "20", **LABELS}
GELF_UDP = {"gelf-address": "udp://127.0.0.1:12201", "gelf-compression-type": "none", **LABELS}
ACK = {"fluentd-request-ack": "true"}
RING = {"mode": "non-blocking", "max-buffer-size": "64m"}
ASYNC = {"fluentd-async": "true"}

REFUSED, UNSTARTED = "refused", "unstarted"  # what dockerd does: not take it, or not start a container


def known_here(host: str) -> bool | None:
    """A resolver that knows everything but the names used in cases."""
    return host not in ("logdock", "nowhere")


def context(version: str = "26.1", compose: Compose | None = None) -> Context:
    return Context(engine.told(version), compose, known_here)


def look(data: bytes | str, version: str = "26.1", compose: Compose | None = None) -> Examined:
    return examine(data, context(version, compose), "daemon.json")


def text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def file(driver: str | None, options: Mapping[str, Any] | None = None, **more: Any) -> str:
    """A daemon.json: the driver in line 2, the options from line 4 on."""
    made: dict[str, Any] = {} if driver is None else {"log-driver": driver}
    return text(made | ({} if options is None else {"log-opts": dict(options)}) | more)


def line_of(written: str, key: str) -> int:
    """The line of a key, or of a text; '' is the first."""
    lines = written.split("\n")
    exact = [n for n, line in enumerate(lines, 1) if f'"{key}":' in line]
    return (exact or [n for n, line in enumerate(lines, 1) if key in line])[0]


@dataclass(frozen=True)
class Case:
    """`at`: the key at whose line the finding stands (`log-opts` for one that is missing)."""

    code: str
    severity: Severity
    bad: str
    at: str
    good: str | None  # None: a person must decide
    version: str = "26.1"
    docker: str = ""  # REFUSED, UNSTARTED or "" when dockerd takes it
    said: str = ""  # a part of what dockerd says

    @property
    def name(self) -> str:
        return f"{self.code}-{self.at}-{abs(hash(self.bad)) % 1000}"

    def finding(self) -> Finding:
        """The one that the case is about."""
        found = look(self.bad, self.version).findings
        mine = [f for f in found if f.code == self.code and f.line == line_of(self.bad, self.at)]
        assert mine, f"no {self.code} at {self.at}; found {[(f.code, f.line) for f in found]}"
        return mine[0]


def options(
    code: str,
    severity: Severity,
    base: Mapping[str, Any],
    bad: Mapping[str, Any],
    good: Mapping[str, Any] | None,
    at: str = "",
    version: str = "26.1",
    docker: str = "",
    said: str = "",
) -> Case:
    """`base` with options `bad` must become `base` with `good`. The driver is that of the address."""
    driver = "gelf" if any(key.startswith("gelf-") for key in base) else "fluentd"
    written = {**base, **bad}
    corrected = None if good is None else {**{k: v for k, v in base.items() if k not in bad}, **good}
    if corrected is not None:  # in the order of the file
        corrected = {key: corrected[key] for key in [*written, *corrected] if key in corrected}
    return Case(
        code,
        severity,
        file(driver, written),
        at or next(iter(bad)),
        None if corrected is None else file(driver, corrected),
        version,
        docker,
        said,
    )


def refused(
    code: str,
    base: Mapping[str, Any],
    bad: Mapping[str, Any],
    good: Mapping[str, Any] | None,
    said: str,
    at: str = "",
    version: str = "26.1",
) -> Case:
    return options(code, ERROR, base, bad, good, at, version, REFUSED, said)


def unstarted(
    code: str,
    base: Mapping[str, Any],
    bad: Mapping[str, Any],
    good: Mapping[str, Any] | None,
    said: str,
    at: str = "",
    version: str = "26.1",
) -> Case:
    return options(code, ERROR, base, bad, good, at, version, UNSTARTED, said)


def warned(
    code: str,
    base: Mapping[str, Any],
    bad: Mapping[str, Any],
    good: Mapping[str, Any],
    at: str = "",
    version: str = "26.1",
) -> Case:
    return options(code, WARNING, base, bad, good, at, version)


def advised(
    code: str,
    base: Mapping[str, Any],
    bad: Mapping[str, Any],
    good: Mapping[str, Any],
    at: str = "",
    version: str = "26.1",
) -> Case:
    return options(code, ADVICE, base, bad, good, at, version)


F, T, U = FLUENTD, GELF_TCP, GELF_UDP
T0 = {key: value for key, value in T.items() if "reconnect" not in key}
BOOLEAN = 'strconv.ParseBool: parsing "yes": invalid syntax'

OPTIONS: list[Case] = [
    # values of the wrong kind
    refused("opt-not-string", F, {"fluentd-async": True}, ASYNC, "cannot unmarshal bool"),
    refused(
        "opt-not-string",
        F,
        {"fluentd-max-retries": 1000},
        {"fluentd-max-retries": "1000"},
        "cannot unmarshal number",
    ),
    refused("opt-not-string", F, {"labels": ["a", "b"]}, {"labels": "a,b"}, "cannot unmarshal array"),
    refused("opt-not-string", F, {"tag": {"a": 1}}, {}, "cannot unmarshal object"),
    # options that are not there
    refused("opt-unknown", F, {"max-size": "10m"}, {}, "unknown log opt 'max-size' for fluentd log driver"),
    refused("opt-unknown", F, {"fluentd-asnyc": "true"}, ASYNC, "unknown log opt 'fluentd-asnyc'"),
    refused("opt-unknown", F, {"async": "true"}, ASYNC, "unknown log opt 'async'"),
    refused("opt-unknown", F, {"label": "a"}, {"labels": "a"}, "unknown log opt 'label'"),
    refused("opt-unknown", F, {"fluentd_async": "true"}, ASYNC, "unknown log opt 'fluentd_async'"),
    refused("opt-unknown", T, {"gelf-max-reconnect": "3"}, {}, 'unknown log opt "gelf-max-reconnect"'),
    refused(
        "opt-unknown",
        F,
        {"cache-max-lines": "1"},
        {"cache-max-file": "1"},
        "unknown log opt 'cache-max-lines'",
    ),
    refused("opt-removed", F, {"fluentd-tag": "x"}, {"tag": "x"}, "unknown log opt 'fluentd-tag'"),
    refused("opt-removed", T, {"gelf-tag": "x"}, {"tag": "x"}, 'unknown log opt "gelf-tag"'),
    refused("opt-removed", F, {"fluentd-async-connect": "true"}, ASYNC, "", version="28.0"),
    warned("opt-deprecated", F, {"fluentd-async-connect": "true"}, ASYNC),
    refused(
        "opt-conflict",
        F,
        {**ASYNC, "fluentd-async-connect": "true"},
        ASYNC,
        "conflicting options",
        at="fluentd-async-connect",
    ),
    refused("opt-version", F, {"fluentd-write-timeout": "1s"}, {}, "unknown log opt 'fluentd-write-timeout'"),
    refused("opt-version", F, {"fluentd-read-timeout": "1s"}, {}, "", version="28.5"),
    refused(
        "opt-version",
        F,
        {"fluentd-async-reconnect-interval": "1s"},
        {},
        "unknown log opt",
        version="20.10.24",
    ),
    # values that Go does not take
    refused("opt-boolean", F, {"fluentd-async": "yes"}, ASYNC, BOOLEAN),
    refused("opt-boolean", F, {"fluentd-async": " true"}, ASYNC, "strconv.ParseBool"),
    refused("opt-boolean", F, {"fluentd-async": "off"}, {"fluentd-async": "false"}, "strconv.ParseBool"),
    refused("opt-boolean", F, {"fluentd-async": "maybe"}, {}, "strconv.ParseBool"),
    refused(
        "opt-boolean",
        F,
        {"cache-disabled": "yes"},
        {"cache-disabled": "true"},
        "invalid value for option cache-disabled",
    ),
    refused("opt-number", F, {"fluentd-max-retries": "-1"}, {}, "strconv.ParseUint"),
    refused("opt-number", F, {"fluentd-max-retries": "many"}, {}, "strconv.ParseUint"),
    refused(
        "opt-number",
        F,
        {"fluentd-max-retries": "9999999999"},
        {"fluentd-max-retries": "2147483647"},
        "",
        version="28.3",
    ),
    refused(
        "opt-number",
        T0,
        {"gelf-tcp-max-reconnect": "-1"},
        {"gelf-tcp-max-reconnect": "20"},
        "must be a positive integer",
    ),
    refused(
        "opt-number",
        T,
        {"gelf-tcp-reconnect-delay": "2s"},
        {"gelf-tcp-reconnect-delay": "2"},
        "must be a positive integer",
    ),
    refused(
        "opt-number",
        U,
        {"gelf-compression-type": "gzip", "gelf-compression-level": "10"},
        {"gelf-compression-type": "none"},
        'unknown value "10"',
        at="gelf-compression-level",
    ),
    refused(
        "opt-duration",
        F,
        {"fluentd-retry-wait": "5"},
        {"fluentd-retry-wait": "5s"},
        "missing unit in duration",
    ),
    refused("opt-duration", F, {"fluentd-retry-wait": "1 s"}, {"fluentd-retry-wait": "1s"}, "unknown unit"),
    refused(
        "opt-duration", F, {"fluentd-retry-wait": "1d"}, {"fluentd-retry-wait": "24h"}, 'unknown unit "d"'
    ),
    refused("opt-duration", F, {"fluentd-retry-wait": "soon"}, {}, "invalid duration"),
    refused(
        "opt-duration",
        {**F, **ASYNC},
        {"fluentd-async-reconnect-interval": "50ms"},
        {"fluentd-async-reconnect-interval": "100ms"},
        "must be between 100ms and 10s",
    ),
    refused(
        "opt-duration",
        {**F, **ASYNC},
        {"fluentd-async-reconnect-interval": "1m"},
        {"fluentd-async-reconnect-interval": "10s"},
        "must be between 100ms and 10s",
    ),
    refused("opt-duration", F, {"fluentd-write-timeout": "-1s"}, {}, "", version="29.0"),
    refused(
        "opt-size",
        {**F, **ASYNC},
        {"fluentd-buffer-limit": "8x"},
        {"fluentd-buffer-limit": "65536"},
        "invalid size",
    ),
    refused(
        "opt-size",
        {**F, "mode": "non-blocking"},
        {"max-buffer-size": "lots"},
        {"max-buffer-size": "64m"},
        "invalid size",
    ),
    refused(
        "opt-choice",
        F,
        {"mode": "nonblocking", "max-buffer-size": "64m"},
        RING,
        "logging mode not supported",
        at="mode",
    ),
    refused("opt-choice", F, {"mode": "fast"}, {}, "logging mode not supported"),
    refused(
        "opt-choice",
        U,
        {"gelf-compression-type": "NONE"},
        {"gelf-compression-type": "none"},
        'unknown value "NONE"',
    ),
    refused(
        "opt-choice",
        U,
        {"gelf-compression-type": "lz4"},
        {"gelf-compression-type": "none"},
        'unknown value "lz4"',
    ),
    refused(
        "opt-choice", U, {"gelf-compression-type": ""}, {"gelf-compression-type": "none"}, 'unknown value ""'
    ),
    # options that do nothing
    advised("opt-ignored", F, {"fluentd-buffer-limit": "1000"}, {"fluentd-buffer-limit": "1000"}),
    advised("opt-ignored", F, {"cache-max-size": "nonsense"}, {"cache-max-size": "nonsense"}),
    advised("opt-ignored", U, {"gelf-compression-level": "9"}, {"gelf-compression-level": "9"}),
    # delivery
    warned("ack-sync", F, ACK, {**ACK, **RING}),
    warned("ack-sync", F, {**ACK, "mode": "blocking"}, {**ACK, **RING}, at="fluentd-request-ack"),
    advised(
        "ack-sync",
        F,
        {**ACK, "fluentd-read-timeout": "1s"},
        {**ACK, "fluentd-read-timeout": "1s"},
        at="fluentd-request-ack",
        version="29.0",
    ),
    advised("ack-async", F, {**ACK, **ASYNC}, {**ACK, **ASYNC}, at="fluentd-request-ack"),
    advised("no-ack", F, {}, {}, at="log-opts"),
    advised("async-exit-loss", F, ASYNC, ASYNC),
    advised("sync-start", F, {}, {}, at="fluentd-address"),
    advised("sync-start", T, {}, {}, at="gelf-address"),
    advised("live-restore-off", F, {}, {}, at="log-opts"),
    warned(
        "buffer-limit-count",
        {**F, **ASYNC},
        {"fluentd-buffer-limit": "8m"},
        {"fluentd-buffer-limit": "65536"},
    ),
    warned(
        "buffer-limit-count",
        {**F, **ASYNC},
        {"fluentd-buffer-limit": "9999999"},
        {"fluentd-buffer-limit": "65536"},
    ),
    warned("retries-zero", F, {"fluentd-max-retries": "0"}, {}),
    warned("retries-few", F, {"fluentd-max-retries": "3"}, {}),
    warned("retries-large", F, {"fluentd-max-retries": "9999999999"}, {}),
    warned("retry-wait", F, {"fluentd-retry-wait": "-1s"}, {}),
    advised("retry-wait", F, {"fluentd-retry-wait": "0s"}, {"fluentd-retry-wait": "0s"}),
    warned("ring-default", F, {"mode": "non-blocking"}, RING),
    warned("ring-default", F, {"mode": "non-blocking", "max-buffer-size": "1m"}, RING, at="max-buffer-size"),
    advised("ring-drops", F, RING, RING, at="mode"),
    refused(
        "ring-without-mode", F, {"max-buffer-size": "64m"}, {}, "only supported with 'mode=non-blocking'"
    ),
    refused(
        "ring-without-mode",
        {**F, **ACK},
        {"max-buffer-size": "64m"},
        {"max-buffer-size": "64m", "mode": "non-blocking"},
        "only supported with 'mode=non-blocking'",
    ),
    warned(
        "gelf-compression",
        {k: v for k, v in U.items() if "compression" not in k},
        {},
        {"gelf-compression-type": "none"},
        at="log-opts",
    ),
    warned("gelf-compression", U, {"gelf-compression-type": "zlib"}, {"gelf-compression-type": "none"}),
    refused(
        "gelf-compression-tcp",
        T,
        {"gelf-compression-type": "none"},
        {},
        "compression is only supported on UDP",
    ),
    refused(
        "gelf-compression-tcp", T, {"gelf-compression-level": "1"}, {}, "compression is only supported on UDP"
    ),
    refused("gelf-tcp-over-udp", U, {"gelf-tcp-max-reconnect": "3"}, {}, "is only valid for TCP"),
    advised("gelf-udp-loss", U, {}, {}, at="gelf-address"),
    advised("gelf-long-lines", T, {}, {}, at="gelf-address"),
    advised("gelf-reconnect", T0, {}, {"gelf-tcp-max-reconnect": "20"}, at="log-opts"),
    advised("cache-disabled", F, {"cache-disabled": "true"}, {"cache-disabled": "true"}),
    # fields
    advised("sub-second", {k: v for k, v in F.items() if "second" not in k}, {}, PRECISE, at="log-opts"),
    advised("labels-none", {k: v for k, v in F.items() if "labels" not in k}, {}, LABELS, at="log-opts"),
    advised("labels-none", F, {"labels-regex": "^team$"}, {"labels-regex": "^team$"}),
    warned("labels-blanks", F, {"labels": "a, b"}, {"labels": "a,b"}),
    warned("labels-blanks", F, {"env": "A,,B,"}, {"env": "A,B"}),
    warned("labels-overwrite", F, {"labels": "team,log"}, {"labels": "team"}),
    warned("labels-overwrite", F, {"env": "source"}, {}),
    warned("labels-overwrite", T, {"labels": "tag,team"}, {"labels": "team"}),
    warned("env-secrets", F, {"env-regex": ".*"}, {}),
    warned("env-secrets", F, {"env-regex": "^(APP|DB)_"}, {}),
    warned("env-secrets", F, {"env": "STAGE,DB_PASSWORD"}, {"env": "STAGE"}),
    unstarted("regex-invalid", F, {"labels-regex": "(?!secret)"}, LABELS, "error parsing regexp"),
    unstarted("regex-invalid", F, {"env-regex": "a**"}, {}, "error parsing regexp"),
    unstarted(
        "tag-invalid",
        F,
        {"tag": "{{.Foo}}"},
        {"tag": "docker/{{.Name}}/{{.ImageName}}/{{.ID}}"},
        "can't evaluate field Foo",
    ),
    unstarted(
        "tag-invalid",
        F,
        {"tag": "{{.Name"},
        {"tag": "docker/{{.Name}}/{{.ImageName}}/{{.ID}}"},
        "unclosed action",
    ),
    warned(
        "tag-ambiguous", F, {"tag": "{{.Hostname}}.{{.ImageName}}"}, {"tag": "{{.Hostname}}/{{.ImageName}}"}
    ),
    warned("tag-secrets", F, {"tag": "{{json .}}"}, {"tag": "docker/{{.Name}}/{{.ImageName}}/{{.ID}}"}),
    warned(
        "tag-fails",
        F,
        {"tag": "{{slice .Name 0 8}}-{{.ID}}"},
        {"tag": "docker/{{.Name}}/{{.ImageName}}/{{.ID}}"},
    ),
    advised("tag-partial", F, {"tag": "{{lower .Name}}"}, {"tag": "{{lower .Name}}"}),
    advised("tag-default", F, {}, {}, at="log-opts"),
]

ADDRESSES: list[Case] = [
    unstarted(
        "address-ipv6",
        F,
        {"fluentd-address": "[::1]:24224"},
        {"fluentd-address": "127.0.0.1:24224"},
        "too many colons in address",
    ),
    unstarted(
        "address-ipv6",
        F,
        {"fluentd-address": "::1"},
        {"fluentd-address": "127.0.0.1:24224"},
        "too many colons in address",
    ),
    unstarted(
        "address-ipv6", F, {"fluentd-address": "tcp://[fd00::1]:24224"}, None, "too many colons in address"
    ),
    refused(
        "address-ipv6",
        U,
        {"gelf-address": "udp://::1:12201"},
        {"gelf-address": "udp://[::1]:12201"},
        "please provide gelf-address as proto://host:port",
    ),
    refused(
        "address-path",
        F,
        {"fluentd-address": "tcp://127.0.0.1:24224/"},
        {"fluentd-address": "tcp://127.0.0.1:24224"},
        "should not contain a path element",
    ),
    options(
        "address-path",
        WARNING,
        F,
        {"fluentd-address": "tcp://127.0.0.1:24224/"},
        {"fluentd-address": "tcp://127.0.0.1:24224"},
        version="20.10.24",
    ),
    refused("address-path", F, {"fluentd-address": "unix://"}, None, "path is empty"),
    refused(
        "address-path",
        F,
        {"fluentd-address": "unix://log.sock"},
        {"fluentd-address": "unix:///log.sock"},
        "path is empty",
    ),
    unstarted(
        "address-path",
        F,
        {"fluentd-address": "unix://run/log.sock"},
        {"fluentd-address": "unix:///run/log.sock"},
        "no such file or directory",
    ),
    refused(
        "address-port",
        F,
        {"fluentd-address": "127.0.0.1:99999"},
        {"fluentd-address": "127.0.0.1:24224"},
        "invalid port",
    ),
    refused(
        "address-port",
        F,
        {"fluentd-address": "127.0.0.1:http"},
        {"fluentd-address": "127.0.0.1:24224"},
        "invalid port",
    ),
    refused(
        "address-port",
        F,
        {"fluentd-address": "127.0.0.1:"},
        {"fluentd-address": "127.0.0.1:24224"},
        "strconv.Atoi",
        version="20.10.24",
    ),
    refused(
        "address-port",
        U,
        {"gelf-address": "udp://127.0.0.1"},
        {"gelf-address": "udp://127.0.0.1:12201"},
        "please provide gelf-address as proto://host:port",
    ),
    unstarted(
        "address-port",
        U,
        {"gelf-address": "udp://127.0.0.1:99999"},
        {"gelf-address": "udp://127.0.0.1:12201"},
        "invalid port",
    ),
    options(
        "address-port",
        ERROR,
        U,
        {"gelf-address": "udp://127.0.0.1:0"},
        {"gelf-address": "udp://127.0.0.1:12201"},
    ),
    refused(
        "address-scheme",
        F,
        {"fluentd-address": "udp://127.0.0.1:24224"},
        {"fluentd-address": "127.0.0.1:24224"},
        "unsupported scheme",
    ),
    refused(
        "address-scheme",
        F,
        {"fluentd-address": "http://127.0.0.1:24224/"},
        {"fluentd-address": "127.0.0.1:24224"},
        "unsupported scheme",
    ),
    unstarted(
        "address-scheme",
        F,
        {"fluentd-address": "tcp:127.0.0.1:24224"},
        {"fluentd-address": "tcp://127.0.0.1:24224"},
        "too many colons in address",
    ),
    refused(
        "address-scheme",
        F,
        {"fluentd-address": "TCP://127.0.0.1:24224"},
        {"fluentd-address": "tcp://127.0.0.1:24224"},
        "too many colons in address",
        version="20.10.24",
    ),
    refused(
        "address-scheme",
        T,
        {"gelf-address": "localhost:12201"},
        {"gelf-address": "tcp://localhost:12201"},
        "endpoint needs to be TCP or UDP",
    ),
    refused(
        "address-scheme",
        T,
        {"gelf-address": "http://127.0.0.1:12201"},
        {"gelf-address": "tcp://127.0.0.1:12201"},
        "endpoint needs to be TCP or UDP",
    ),
    refused(
        "address-host",
        F,
        {"fluentd-address": "127.0.0.1 :24224"},
        {"fluentd-address": "127.0.0.1:24224"},
        "invalid character",
    ),
    refused(
        "address-missing",
        {k: v for k, v in T.items() if k != "gelf-address"},
        {},
        {"gelf-address": "tcp://127.0.0.1:12201"},
        "gelf-address is a required parameter",
        at="log-opts",
    ),
    warned(
        "address-other-protocol",
        F,
        {"fluentd-address": "127.0.0.1:12201"},
        {"fluentd-address": "127.0.0.1:24224"},
    ),
    warned(
        "address-other-protocol",
        U,
        {"gelf-address": "udp://127.0.0.1:24224"},
        {"gelf-address": "udp://127.0.0.1:12201"},
    ),
    options(
        "address-docker-dns",
        WARNING,
        F,
        {"fluentd-address": "logdock:24224"},
        {"fluentd-address": "127.0.0.1:24224"},
        docker=UNSTARTED,
        said="no such host",
    ),
    warned(
        "address-docker-dns",
        T,
        {"gelf-address": "tcp://host.docker.internal:12201"},
        {"gelf-address": "tcp://127.0.0.1:12201"},
    ),
    advised(
        "address-resolved-once",
        U,
        {"gelf-address": "udp://logs.example.com:12201"},
        {"gelf-address": "udp://logs.example.com:12201"},
    ),
    refused(
        "tls-unsupported",
        F,
        {"fluentd-address": "tls://localhost:24224"},
        {"fluentd-address": "tcp://localhost:24224"},
        "too many colons in address",
        version="20.10.24",
    ),
    refused(
        "tls-unsupported",
        F,
        {"fluentd-address": "tls://logs.example.com:24224"},
        None,
        "too many colons in address",
        version="20.10.24",
    ),
    advised(
        "tls-system-roots",
        F,
        {"fluentd-address": "tls://logs.example.com"},
        {"fluentd-address": "tls://logs.example.com"},
    ),
]


def _text(
    code: str,
    bad: str,
    good: str | None,
    said: str,
    at: str = "log-driver",
    severity: Severity = ERROR,
    version: str = "26.1",
    docker: str = REFUSED,
) -> Case:
    return Case(code, severity, bad, at, good, version, docker, said)


def _f(options: str = "", tail: str = "") -> str:
    """A good file for fluentd by hand, with more options and something behind log-opts."""
    return (
        '{\n  "log-driver": "fluentd",\n  "log-opts": {\n    "fluentd-sub-second-precision": "true",\n'
        f'    "labels-regex": "^com\\\\.docker\\\\."{options}\n  }}{tail}\n}}\n'
    )


GOOD = _f()
NEW = file("fluentd", {"fluentd-address": "127.0.0.1:24224", **PRECISE, **LABELS})
UNKNOWN = "the following directives don't match any configuration option: "
DRIVER, OPTS = "log-driver", "log-opts"

TEXTS: list[Case] = [
    _text("json-comma", _f(","), GOOD, "invalid character '}'", at="labels-regex"),
    _text("json-comma", GOOD.replace('d",', 'd"', 1), GOOD, "invalid character '\"'"),
    _text("json-comma", GOOD.replace('d",', 'd",,', 1), GOOD, "invalid character ','"),
    _text(
        "json-comment",
        GOOD.replace('  "log-driver"', '  // to logdock\n  "log-driver"'),
        GOOD,
        "invalid character '/'",
        at="// to logdock",
    ),
    _text("json-comment", GOOD.replace('d",', 'd", # to logdock', 1), GOOD, "invalid character '#'"),
    _text("json-quote", GOOD.replace('"fluentd"', "'fluentd'"), GOOD, "invalid character '\\''"),
    _text("json-quote", GOOD.replace('"fluentd"', "\u201cfluentd\u201d"), GOOD, "invalid character"),
    _text(
        "json-quote",
        GOOD.replace('"log-driver"', "log-driver"),
        GOOD,
        "invalid character 'l'",
        at="log-driver:",
    ),
    _text(
        "json-quote", _f(',\n    "tag": web'), _f(',\n    "tag": "web"'), "invalid character 'w'", at="tag"
    ),
    _text(
        "json-escape",
        GOOD.replace("\\\\.", "\\."),
        GOOD,
        "invalid character '.' in string escape code",
        at="labels-regex",
    ),
    _text(
        "json-escape",
        _f(',\n    "tag": "a\tb"'),
        _f(',\n    "tag": "a\\tb"'),
        "invalid character '\\t' in string literal",
        at="tag",
    ),
    _text("json-blank", GOOD.replace('  "log-driver"', '\u00a0 "log-driver"'), GOOD, "invalid character"),
    _text(
        "json-colon",
        GOOD.replace('"log-driver":', '"log-driver" ='),
        GOOD.replace('"log-driver":', '"log-driver" :'),
        "invalid character '='",
        at='"log-driver" =',
    ),
    _text("json-bracket", GOOD[: GOOD.index("\n}")], GOOD.rstrip(), "unexpected end of JSON input", at=""),
    _text("json-trailing-text", GOOD.rstrip() + "}\n", GOOD, "after top-level value", at="}}"),
    _text("json-trailing-text", GOOD + '{"debug": true}\n', None, "after top-level value", at='"debug"'),
    _text(
        "json-syntax",
        GOOD.replace('"fluentd"', '"fluentd'),
        None,
        "invalid character '\\n' in string literal",
    ),
    _text("json-not-object", '["fluentd"]\n', None, "cannot unmarshal array", at="fluentd"),
    _text(
        "json-duplicate-key",
        GOOD.replace('  "log-opts"', '  "log-driver": "gelf",\n  "log-opts"')
        .replace('"log-driver": "gelf"', '"log-driver": "fluentd"')
        .replace('"log-driver": "fluentd"', '"log-driver": "gelf"', 1),
        GOOD,
        "",
        at="gelf",
        severity=WARNING,
        docker="",
    ),
    _text(
        "json-duplicate-key",
        '{\n  "log-driver": "fluentd",\n  "log-opts": {"fluentd-sub-second-precision": "true"},\n'
        '  "log-opts": {"labels-regex": "^com\\\\.docker\\\\."}\n}\n',
        '{\n  "log-driver": "fluentd",\n  "log-opts": {"fluentd-sub-second-precision": "true", '
        '"labels-regex": "^com\\\\.docker\\\\."}\n}\n',
        "",
        at="sub-second",
        severity=WARNING,
        docker="",
    ),
    _text("json-empty", "", NEW, "EOF", at="", version="20.10.24"),
    _text(
        "json-trailing-text",
        GOOD.rstrip() + "}\n",
        GOOD,
        "",
        at="}}",
        severity=WARNING,
        version="20.10.24",
        docker="",
    ),
    _text(
        "json-comment",
        GOOD + "// the end\n",
        GOOD,
        "",
        at="// the end",
        severity=WARNING,
        version="20.10.24",
        docker="",
    ),
]


def _key(
    code: str,
    member: str,
    better: str,
    said: str = "",
    severity: Severity = ERROR,
    version: str = "26.1",
    docker: str = REFUSED,
) -> Case:
    """A good file with one member more, in the last line but one."""
    key = member.partition(":")[0].strip('"')
    good = _f(tail=f",\n  {better}") if better else GOOD
    return Case(code, severity, _f(tail=f",\n  {member}"), key, good, version, docker, said)


KEYS: list[Case] = [
    _key("key-unknown", '"live-restor": true', '"live-restore": true', UNKNOWN + "live-restor"),
    _key("key-unknown", '"Debug": true', '"debug": true', UNKNOWN + "Debug"),
    _key("key-unknown", '"log_level": "info"', '"log-level": "info"', UNKNOWN + "log_level"),
    _key("key-unknown", '"colour": "blue"', "", UNKNOWN + "colour"),
    _key("key-unknown", '"logs": {"colour": 1}', "", UNKNOWN + "colour"),
    _key("key-version", '"bip6": "fd00::1/64"', "", UNKNOWN + "bip6"),
    _key("key-version", '"oom-score-adjust": -500', "", UNKNOWN + "oom-score-adjust"),
    _key("key-version", '"graph": "/d"', '"data-root": "/d"', UNKNOWN + "graph"),
    _key("key-version", '"log-format": "text"', "", UNKNOWN + "log-format", version="20.10.24"),
    _key("key-ignored", '"label": ["a=b"]', '"labels": ["a=b"]', severity=WARNING, docker=""),
    _key("key-ignored", '"restart": true', "", severity=WARNING, docker=""),
    _key("key-ignored", '"logs": {"debug": true}', "", severity=WARNING, docker=""),
    _key("key-type", '"debug": "true"', '"debug": true', "cannot unmarshal string"),
    _key("key-type", '"dns": "127.0.0.1"', '"dns": ["127.0.0.1"]', "cannot unmarshal string"),
    _key("key-type", '"mtu": "1500"', '"mtu": 1500', "cannot unmarshal string"),
    _key("key-type", '"dns-opts": ["rotate", 5]', '"dns-opts": ["rotate", "5"]', "cannot unmarshal number"),
    _key("key-type", '"metrics-addr": 5', '"metrics-addr": "5"', "cannot unmarshal number"),
    Case(
        "key-type",
        ERROR,
        '{\n  "log-driver": "fluentd",\n  "log-opts": ["fluentd-async=true"]\n}\n',
        OPTS,
        file("fluentd", {**ASYNC, **PRECISE, **LABELS}),
        docker=REFUSED,
        said="cannot unmarshal array",
    ),
    Case(
        "key-unknown",
        ERROR,
        '{\n  "log-driver": "fluentd",\n  "fluentd-address": "127.0.0.1:24224"\n}\n',
        "fluentd-address",
        NEW,
        docker=REFUSED,
        said=UNKNOWN + "fluentd-address",
    ),
    Case(
        "key-unknown",
        ERROR,
        '{\n  "logging": {"driver": "fluentd", "options": {"fluentd-async": "true"}}\n}\n',
        "logging",
        '{\n  "log-driver": "fluentd",\n  "log-opts": {"fluentd-async": "true", '
        '"fluentd-sub-second-precision": "true", "labels-regex": "^com\\\\.docker\\\\."}\n}\n',
        docker=REFUSED,
        said=UNKNOWN,
    ),
    Case(
        "key-ignored",
        WARNING,
        '{\n  "log-opt": {"log-driver": "fluentd"}\n}\n',
        "log-opt",
        file("fluentd", {**PRECISE, **LABELS}),
    ),
]

DRIVERS: list[Case] = [
    Case(
        "driver-unknown",
        ERROR,
        file("fluent"),
        DRIVER,
        NEW,
        docker="uncreated",
        said='plugin "fluent" not found',
    ),
    Case(
        "driver-unknown",
        ERROR,
        file("graylog"),
        DRIVER,
        file("gelf", {"gelf-address": "tcp://127.0.0.1:12201", "gelf-tcp-max-reconnect": "20", **LABELS}),
        docker="uncreated",
        said='plugin "graylog" not found',
    ),
    Case("driver-unknown", ERROR, file("fluentdd", {"fluentd-address": "127.0.0.1:24224"}), DRIVER, NEW),
    Case("driver-unknown", WARNING, file("loki"), DRIVER, NEW),
    Case("driver-unknown", ERROR, file("logentries"), DRIVER, NEW),
    Case("driver-elsewhere", WARNING, file("grafana/loki-docker-driver:latest"), DRIVER, NEW),
    Case("driver-elsewhere", WARNING, file("json-file", {"max-size": "10m"}), DRIVER, NEW),
    Case("driver-elsewhere", WARNING, file("none"), DRIVER, NEW),
    Case("driver-elsewhere", WARNING, file(None), "", NEW),
    Case("driver-elsewhere", WARNING, "\n", "", NEW),
    Case(
        "driver-elsewhere",
        WARNING,
        file(None, debug=True),
        "",
        text({"debug": True, "log-driver": "fluentd", "log-opts": FLUENTD}),
    ),
    Case(
        "driver-missing",
        ERROR,
        file(None, FLUENTD),
        OPTS,
        file("fluentd", FLUENTD),
        docker=REFUSED,
        said="unknown log opt",
    ),
    Case(
        "driver-missing",
        ERROR,
        file("json-file", GELF_TCP),
        DRIVER,
        file("gelf", GELF_TCP),
        docker=REFUSED,
        said="unknown log opt",
    ),
    Case(
        "opt-unknown",
        ERROR,
        file("json-file", {"max-lines": "5"}),
        "max-lines",
        NEW,
        docker=REFUSED,
        said="unknown log opt 'max-lines' for json-file log driver",
    ),
    Case(
        "address-missing",
        ERROR,
        file("gelf"),
        DRIVER,
        file("gelf", {"gelf-address": "tcp://127.0.0.1:12201", "gelf-tcp-max-reconnect": "20", **LABELS}),
        docker="uncreated",
        said="gelf-address is a required parameter",
    ),
]

ALL = [*TEXTS, *KEYS, *DRIVERS, *OPTIONS, *ADDRESSES]
