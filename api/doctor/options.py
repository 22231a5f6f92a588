"""The options of Docker's log drivers: name, kind of value, and the versions that take it.

Sources: ValidateLogOpt and parseConfig of daemon/logger/fluentd/fluentd.go and gelf/gelf.go,
daemon/logger/factory.go (mode, max-buffer-size), daemon/logger/loggerutils/cache (cache-*), and for the other
drivers the same function of theirs, by minor version.
"""

from __future__ import annotations

from dataclasses import dataclass

from api.doctor.versions import Version

RECOMMENDED_LABELS = r"^com\.docker\."
RECOMMENDED_TAG = "docker/{{.Name}}/{{.ImageName}}/{{.ID}}"
RECOMMENDED_RING = "64m"
RECOMMENDED_QUEUE = "65536"  # messages: some 9 MB of lines of 130 bytes
RECOMMENDED_RECONNECT = "20"
DEFAULT_ADDRESS = {"fluentd": "127.0.0.1:24224", "gelf": "tcp://127.0.0.1:12201"}


_ALWAYS = Version(0)


@dataclass(frozen=True)
class Option:
    """`kind` chooses the check of the value; `empty` says that an empty value means the default."""

    kind: str = "text"
    since: Version = _ALWAYS
    until: Version | None = None  # the first version that refuses it
    empty: bool = True

    def known(self, version: Version) -> bool:
        return self.since <= version and (self.until is None or version < self.until)


_20_10 = Version(20, 10)

# loginfo.go: for every driver that sends records
_FIELDS = {
    "tag": Option("tag"),
    "labels": Option("names"),
    "labels-regex": Option("regex"),
    "env": Option("names"),
    "env-regex": Option("regex"),
}
FLUENTD = {
    "fluentd-address": Option("address"),
    "fluentd-async": Option("bool", _20_10),
    "fluentd-async-connect": Option("bool", until=Version(28)),
    "fluentd-async-reconnect-interval": Option("duration", Version(23)),
    "fluentd-buffer-limit": Option("size"),
    "fluentd-max-retries": Option("uint"),
    "fluentd-request-ack": Option("bool", _20_10),
    "fluentd-retry-wait": Option("duration"),
    "fluentd-sub-second-precision": Option("bool"),
    "fluentd-write-timeout": Option("duration", Version(28, 2)),
    "fluentd-read-timeout": Option("duration", Version(29)),
    **_FIELDS,
}
GELF = {
    "gelf-address": Option("address"),
    "gelf-compression-type": Option("compression", empty=False),
    "gelf-compression-level": Option("level", empty=False),
    "gelf-tcp-max-reconnect": Option("int", empty=False),
    "gelf-tcp-reconnect-delay": Option("int", empty=False),
    **_FIELDS,
}
OURS = {"fluentd": FLUENTD, "gelf": GELF}

# factory.go and loggerutils/cache: around every driver but none
BUILT_IN = {
    "mode": Option("mode"),
    "max-buffer-size": Option("ring", empty=False),
    "cache-disabled": Option("bool", _20_10),
    "cache-max-size": Option("text", _20_10),
    "cache-max-file": Option("text", _20_10),
    "cache-compress": Option("text", _20_10),
}

_PREFIXED = {
    "syslog": "address facility tls-ca-cert tls-cert tls-key tls-skip-verify format",
    "splunk": "token url source sourcetype index capath caname insecureskipverify format verify-connection "
    "gzip gzip-level index-acknowledgment",
    "awslogs": "region endpoint group create-group create-stream stream datetime-format multiline-pattern "
    "credentials-endpoint force-flush-interval-seconds max-buffered-events format",
    "gcp": "project log-cmd meta-zone meta-name meta-id",
}
_FILE = frozenset({"max-size", "max-file", "compress"})


def _prefixed(name: str) -> frozenset[str]:
    return frozenset(f"{name}-{part}" for part in _PREFIXED[name].split())


# Docker's other drivers, to say whose an option is
OTHERS: dict[str, frozenset[str]] = {
    "json-file": _FILE | frozenset(_FIELDS),
    "local": _FILE,
    "none": frozenset(),
    "journald": frozenset(_FIELDS),
    "syslog": _prefixed("syslog") | frozenset(_FIELDS),
    "splunk": _prefixed("splunk") | frozenset(_FIELDS),
    "awslogs": _prefixed("awslogs") | {"tag"},
    "gcplogs": _prefixed("gcp") | (frozenset(_FIELDS) - {"tag"}),
    "etwlogs": frozenset(),
    "logentries": frozenset({"logentries-token", "line-only"}) | frozenset(_FIELDS),
}
DRIVERS = (*OURS, *OTHERS)
LOGENTRIES_UNTIL = Version(25)

# what an option was called before, and is now
RENAMED = {"fluentd-tag": "tag", "gelf-tag": "tag", "fluentd-async-connect": "fluentd-async"}


def known_options(driver: str, version: Version) -> dict[str, Option]:
    """What the driver takes in that version, with mode and cache."""
    table = OURS[driver] | BUILT_IN
    return {name: option for name, option in table.items() if option.known(version)}


def owner(option: str, driver: str) -> str | None:
    """Another driver that has this option, when it is not `driver`'s."""
    for name, table in (*OURS.items(), *OTHERS.items()):
        if name != driver and option in table:
            return name
    return None
