"""What Docker's tag templates are executed on: *logger.Info (Docker: daemon/logger/loginfo.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

import re2

from parsers.go.calls import Function
from parsers.go.errors import GoError
from parsers.go.times import Time, parse_rfc3339
from parsers.go.types import STRING_FUNC, GoType
from parsers.go.values import NIL_MAP, NIL_STRINGS, Pointer, Struct

Text = str | bytes

INFO: Final = GoType("logger.Info", "struct", is_comparable=False)
INFO_POINTER: Final = GoType("*logger.Info", "pointer", INFO)

_SHORT: Final = 12
_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False  # they are raised


class Info(Pointer):
    """A container as a log driver sees it. Texts are taken as they are, `container_name` with its slash;
    `container_created` is a time of RFC 3339. `hostname` is the Docker host's own, which no field has.
    `cuts_algorithm`: ImageID is of the digits alone, as in the newest Docker; 20.10 and 26.1 were seen to cut
    `sha256:` and digits at 12 bytes.

    Maps and lists that are None are nil, as those of a container that never had any are.
    """

    methods: ClassVar[Mapping[bytes, Function]]

    def __init__(
        self,
        *,
        config: Mapping[Text, Text] | None = None,
        container_id: Text = b"",
        container_name: Text = b"",
        container_entrypoint: Text = b"",
        container_args: Iterable[Text] | None = None,
        container_image_id: Text = b"",
        container_image_name: Text = b"",
        container_created: str | Time = "0001-01-01T00:00:00Z",
        container_env: Iterable[Text] | None = None,
        container_labels: Mapping[Text, Text] | None = None,
        log_path: Text = b"",
        daemon_name: Text = b"docker",
        hostname: Text = b"",
        cuts_algorithm: bool = True,
    ) -> None:
        created = container_created
        fields: dict[bytes, Any] = {
            b"Config": _map(config),
            b"ContainerID": _string(container_id),
            b"ContainerName": _string(container_name),
            b"ContainerEntrypoint": _string(container_entrypoint),
            b"ContainerArgs": _strings(container_args),
            b"ContainerImageID": _string(container_image_id),
            b"ContainerImageName": _string(container_image_name),
            b"ContainerCreated": created if isinstance(created, Time) else parse_rfc3339(created),
            b"ContainerEnv": _strings(container_env),
            b"ContainerLabels": _map(container_labels),
            b"LogPath": _string(log_path),
            b"DaemonName": _string(daemon_name),
        }
        super().__init__(INFO_POINTER, Struct(INFO, fields))
        self.hostname = _string(hostname)
        self.cuts_algorithm = cuts_algorithm


def _string(text: Text) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def _strings(texts: Iterable[Text] | None) -> tuple[bytes, ...]:
    return NIL_STRINGS if texts is None else tuple(map(_string, texts))


def _map(entries: Mapping[Text, Text] | None) -> dict[bytes, bytes]:
    return NIL_MAP if entries is None else {_string(key): _string(text) for key, text in entries.items()}


def _field(info: Info, name: bytes) -> Any:
    assert info.target is not None
    return info.target.fields[name]


def short_id(full: bytes) -> bytes:
    """At most 12 bytes behind the algorithm of a digest (Docker: internal/stringid)."""
    return full[full.find(b":") + 1 :][:_SHORT]


def _image_id(info: Info) -> bytes:
    full: bytes = _field(info, b"ContainerImageID")
    return short_id(full) if info.cuts_algorithm else full[:_SHORT]


def _command(info: Info) -> bytes:
    return b" ".join((_field(info, b"ContainerEntrypoint"), *_field(info, b"ContainerArgs")))


def _extra_attributes(info: Info, _key_mod: None) -> dict[bytes, bytes]:
    """The labels and environment variables that the log options name; variables win."""
    config = _field(info, b"Config")
    environment = [entry.partition(b"=") for entry in _field(info, b"ContainerEnv")]
    variables = {name: value for name, equals, value in environment if equals}
    extra: dict[bytes, bytes] = {}
    for source, option in ((_field(info, b"ContainerLabels"), b"labels"), (variables, b"env")):
        names = config.get(option, b"").split(b",") if config.get(option) else []
        extra |= {name: source[name] for name in names if name in source}
        if source is variables and not variables:
            break
        extra |= _matching(source, config.get(option + b"-regex", b""))
    return extra


def _matching(source: Mapping[bytes, bytes], pattern: bytes) -> dict[bytes, bytes]:
    """The entries whose name matches, by RE2, of which Go's regexp is a port. Raises GoError as Go fails."""
    if not pattern:
        return {}
    try:
        matcher = re2.compile(pattern, options=_OPTIONS)
    except re2.error as error:
        raise GoError(b"error parsing regexp: " + error.args[0]) from None
    return {name: text for name, text in source.items() if matcher.search(name)}


Info.methods = {
    function.name: function
    for function in (
        Function(b"ID", lambda info: short_id(_field(info, b"ContainerID"))),
        Function(b"FullID", lambda info: _field(info, b"ContainerID")),
        Function(b"Name", lambda info: _field(info, b"ContainerName").removeprefix(b"/")),
        Function(b"Command", _command),
        Function(b"ImageID", _image_id),
        Function(b"ImageFullID", lambda info: _field(info, b"ContainerImageID")),
        Function(b"ImageName", lambda info: _field(info, b"ContainerImageName")),
        Function(b"Hostname", lambda info: info.hostname),
        Function(b"ExtraAttributes", _extra_attributes, (STRING_FUNC,)),
    )
}
