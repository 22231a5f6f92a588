"""Every setting of `logdock serve`: as a flag (--gelf-udp) and in the environment (LOGDOCK_GELF_UDP).

The command line makes its flags from these fields, so a setting is named, explained and checked here only.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.address import Address, parse_address
from api.units import parse_duration, parse_size

ENV_PREFIX = "LOGDOCK_"
CLIENT_VARIABLES = frozenset({"LOGDOCK_SERVER", "LOGDOCK_SEAL_ROWS"})  # not settings of serve

GB = 1_000_000_000
DEFAULT_RETENTION = 30 * 86_400 * 1_000_000_000
DEFAULT_JOURNAL_SIZE = 4 * GB  # hours of a busy host while the store is away; fits a small disk
MAX_DEFAULT_FLOOR = GB  # room for the system and for sealing; more would waste a large disk
DEFAULT_FLOOR_SHARE = 20  # one 20th: the share that ext4 also keeps back for the system

# A comma separates values in the environment, except inside the braces of a template.
_SEPARATOR = re.compile(r",(?![^{]*\}\})")


class SettingsError(Exception):
    """The operator's mistake: one line that names the flag and says what to do."""


def _items(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [item.strip() for item in _SEPARATOR.split(value) if item.strip()]
    return list(value)


def _address(value: Any) -> Address:
    return value if isinstance(value, Address) else parse_address(str(value))


def _addresses(value: Any) -> tuple[Address, ...]:
    items = _items(value)
    if "off" not in items:
        return tuple(_address(item) for item in items)
    if len(items) > 1:
        raise ValueError("off cannot stand beside an address: give one or the other")
    return ()


def _no_unix(addresses: tuple[Address, ...]) -> tuple[Address, ...]:
    for address in addresses:
        if address.kind == "unix":
            raise ValueError(f"{address} is not possible here: GELF is sent to host:port")
    return addresses


def _http(value: Any) -> Address:
    address = _address(value)
    if address.kind == "unix":
        raise ValueError(f"{address} is not possible here: write host:port")
    return address


def _templates(value: Any) -> tuple[str, ...]:
    items = tuple(_items(value))
    if not items:
        raise ValueError("needs at least one template, such as '{{.ID}}'")
    return items


def _duration(value: Any) -> int | None:
    if value in (None, "off"):
        return None
    nanoseconds = value if isinstance(value, int) else parse_duration(str(value))
    if nanoseconds <= 0:
        raise ValueError("would delete every line at once: give a longer time, or off to keep everything")
    return nanoseconds


def _size(value: Any) -> int:
    return value if isinstance(value, int) else parse_size(str(value))


def _size_or_off(value: Any) -> int | None:
    if value in (None, "off"):
        return None
    size = _size(value)
    if size <= 0:
        raise ValueError("would delete every line at once: give a larger size, or off for no limit")
    return size


def _size_or_auto(value: Any) -> int | None:
    return None if value in (None, "auto") else _size(value)


def _store(value: str) -> str:
    if value in ("local", "memory"):
        return value
    try:
        _hosts(value)
    except ValueError as error:
        wanted = "write local, memory or http(s)://[user:password@]host:9200[,host:9200...]"
        raise ValueError(f"is not a store: {wanted}") from error
    return value.rstrip("/")


def _hosts(store: str) -> list[str]:
    """The hosts of an Elasticsearch store, without the password."""
    from storage.elastic.client import hosts  # 0.4 s, which no other store and no other command need

    return hosts(store)[0]


def _existing_file(value: Path | None) -> Path | None:
    if value is not None and not value.is_file():
        raise ValueError(f"there is no file {value}: check the path")
    return value


Addresses = Annotated[tuple[Address, ...], NoDecode, BeforeValidator(_addresses)]
GelfAddresses = Annotated[Addresses, AfterValidator(_no_unix)]
ExistingFile = Annotated[Path | None, AfterValidator(_existing_file)]


class Settings(BaseSettings):
    """What one server is told. Make it with `load_settings`, whose errors are for people.

    An ingest input that is off is an empty tuple. Durations are nanoseconds, sizes are bytes.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_ignore_empty=True,
        arbitrary_types_allowed=True,
        frozen=True,
        validate_default=True,
    )

    http: Annotated[Address, NoDecode, BeforeValidator(_http)] = Field(
        parse_address("127.0.0.1:8080"),
        description="REST, page, HTTP inputs and /metrics: host:port.",
    )
    forward: Addresses = Field(
        (parse_address("127.0.0.1:24224"),),
        description="Fluentd forward: host:port or unix:///path; repeatable; off to disable.",
    )
    gelf_udp: GelfAddresses = Field(
        (parse_address("127.0.0.1:12201"),), description="GELF over UDP; repeatable; off to disable."
    )
    gelf_tcp: GelfAddresses = Field(
        (parse_address("127.0.0.1:12201"),), description="GELF over TCP; repeatable; off to disable."
    )
    store: Annotated[str, AfterValidator(_store)] = Field(
        "local",
        repr=False,  # it may hold a password
        description="local (Parquet under --data), memory (forgotten at the end), or an Elasticsearch URL: "
        "http(s)://[user:password@]host:9200.",
    )
    data: Path = Field(
        Path("logdock-data"), description="Folder of the journal, the local store and the quarantine."
    )
    sync: Literal["interval", "always"] = Field(
        "interval",
        description="What an acknowledgement promises: interval survives a killed process, always survives "
        "power loss too.",
    )
    tag_template: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_templates)] = Field(
        ("{{.ID}}",), description="The log driver's tag option; repeatable, the most specific match wins."
    )
    daemon_json: ExistingFile = Field(None, description="Read the tag template from this daemon.json.")
    retention: Annotated[int | None, NoDecode, BeforeValidator(_duration)] = Field(
        DEFAULT_RETENTION,
        description="Delete lines observed longer ago than this (30d, 12h); off keeps everything.",
        json_schema_extra={"shown": "30d"},
    )
    retention_size: Annotated[int | None, NoDecode, BeforeValidator(_size_or_off)] = Field(
        20 * GB,
        description="Delete the oldest lines beyond this size of the store (20GB); off for no limit.",
        json_schema_extra={"shown": "20GB"},
    )
    journal_size: Annotated[int, NoDecode, BeforeValidator(_size)] = Field(
        DEFAULT_JOURNAL_SIZE,
        gt=0,
        description="Size of the journal at which --on-full applies.",
        json_schema_extra={"shown": "4GB"},
    )
    disk_floor: Annotated[int | None, NoDecode, BeforeValidator(_size_or_auto)] = Field(
        None,
        description="Free disk to keep, the journal stops there; auto: 1GB, or a 20th of a small disk.",
        json_schema_extra={"shown": "auto"},
    )
    on_full: Literal["block", "drop-oldest", "drop-new"] = Field(
        "block",
        description="What happens when the journal is full. block pauses senders and loses nothing; "
        "drop-oldest and drop-new give up lines, which are counted and told.",
    )
    insecure: bool = Field(
        False, description="Allow addresses beyond loopback, though neither tokens nor TLS guard them yet."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much the server says about itself on stderr."
    )
    hostname: str = Field(
        default_factory=socket.gethostname, description="Name of this machine, for lines of local senders."
    )
    elasticsearch_ca: ExistingFile = Field(
        None, description="PEM file of the authority that signed the Elasticsearch certificate."
    )
    elasticsearch_compress: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Compress what is sent to Elasticsearch. auto: while lines get through quicker for it.",
    )
    elasticsearch_api_key: SecretStr | None = Field(
        None, description="Elasticsearch API key; better given in the environment than on the command line."
    )

    @model_validator(mode="after")
    def _stay_on_loopback(self) -> Settings:
        if self.insecure:
            return self
        for name in ("http", "forward", "gelf_udp", "gelf_tcp"):
            value = getattr(self, name)
            for address in (value,) if isinstance(value, Address) else value:
                if not address.is_loopback:
                    raise _ExposedError(name, address)
        return self

    def floor(self, disk_bytes: int) -> int:
        """Free bytes to keep on a disk of `disk_bytes` in all."""
        if self.disk_floor is not None:
            return self.disk_floor
        return min(MAX_DEFAULT_FLOOR, disk_bytes // DEFAULT_FLOOR_SHARE)

    @property
    def store_name(self) -> str:
        """The store without its password, fit for logs."""
        return self.store if self.store in ("local", "memory") else ",".join(_hosts(self.store))


class _ExposedError(ValueError):
    """An address that other machines could reach, without --insecure."""

    def __init__(self, name: str, address: Address) -> None:
        super().__init__(
            f"{address} can be reached from other machines, and no tokens or TLS guard it yet: "
            "bind 127.0.0.1, or add --insecure if everyone on that network may read and write logs"
        )
        self.name = name


def flag(name: str) -> str:
    """The flag of a setting: --gelf-udp for gelf_udp."""
    return "--" + name.replace("_", "-")


def load_settings(**given: Any) -> Settings:
    """Settings from `given` (flags) over the environment over defaults; SettingsError says what to change."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    cause = first.get("ctx", {}).get("error")
    name = cause.name if isinstance(cause, _ExposedError) else str(first["loc"][0])
    text = str(cause) if isinstance(cause, ValueError) else first["msg"][:1].lower() + first["msg"][1:]
    return f"{flag(name)} ({ENV_PREFIX}{name.upper()}): {text}"


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """LOGDOCK_ variables that no setting reads: most likely misspelt."""
    known = {ENV_PREFIX + name.upper() for name in Settings.model_fields} | CLIENT_VARIABLES
    return sorted(name for name in environment if name.startswith(ENV_PREFIX) and name not in known)
