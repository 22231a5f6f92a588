"""The services of a compose file, as far as logging goes: `logging:`, published ports, names.

Read as compose reads it (YAML 1.2's booleans, anchors, merge keys, `${NAME:-default}`), with the line of
every part. Not followed: `include`, `extends` of other files, override files, profiles and variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import yaml

MAX_BYTES = 1 << 20  # of a compose file
MAX_PORT = 65535
MAX_MERGES = 200  # merge keys followed in one file: a few lines of YAML can ask for millions

_VARIABLE = re.compile(r"\$(?:\$|\{([A-Za-z_]\w*)(?:(:?-)([^{}]*)|[:?+][^}]*)?\}|([A-Za-z_]\w*))", re.ASCII)
_BOOLS = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_NUMBER = re.compile(r"[-+]?(?:\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+|0x[0-9a-fA-F]+|0o?[0-7]+)")
_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)


class ComposeError(ValueError):
    """Not a compose file. `line` and `column` count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Scalar:
    """A value. `kind`: string, number, bool, null or other (a list or a mapping). `text` is None when it
    depends on a variable without a default."""

    kind: str
    text: str | None
    line: int
    column: int


@dataclass(frozen=True)
class Logging:
    """One `logging:`. `other` are keys that it must not have; `broken` says that it is no mapping."""

    line: int
    column: int
    driver: Scalar | None = None
    options: Mapping[str, Scalar] = field(default_factory=dict)
    other: tuple[str, ...] = ()
    broken: str = ""


@dataclass(frozen=True)
class Service:
    name: str
    line: int
    column: int
    names: frozenset[str]
    logging: Logging | None
    ports: frozenset[tuple[str, int]] = frozenset()  # (tcp or udp, port of the host)
    runs: str = ""  # image and command
    host_network: bool = False
    elsewhere: str = ""  # where more of it stands


@dataclass(frozen=True)
class Compose:
    services: tuple[Service, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """What only Docker's own DNS resolves."""
        return frozenset(name for service in self.services for name in service.names)


def load(text: str) -> Compose:
    """Raises ComposeError."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise ComposeError(f"not YAML: {error.problem or error.context}", *place) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ComposeError(
            f"not YAML: {str(error).splitlines()[0] if str(error) else 'nested too deep'}"
        ) from None
    try:
        return _Loader().compose(root)
    except RecursionError:
        raise ComposeError("nested too deep, or a part that contains itself") from None


class _Loader:
    """`merges` counts the merge keys followed, against files made to explode."""

    def __init__(self) -> None:
        self.merges = 0

    def compose(self, root: yaml.Node | None) -> Compose:
        top = self.members(root)
        services = top.get("services")
        if not isinstance(services, yaml.MappingNode):
            raise ComposeError("no services: is this a compose file?", *_place(services or root))
        found = tuple(self.service(name, node) for name, node in self.members(services).items())
        include = [_text(node) or "a list" for node in _items(top.get("include"))]
        return Compose(self.extended(found), tuple(f"include: {name}" for name in include))

    def members(self, node: yaml.Node | None) -> dict[str, yaml.Node]:
        """The pairs of a mapping, those of merge keys below its own."""
        if not isinstance(node, yaml.MappingNode):
            return {}
        own: dict[str, yaml.Node] = {}
        merged: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                for source in _items(value) if isinstance(value, yaml.SequenceNode) else (value,):
                    self._count(source)
                    merged = {**self.members(source), **merged}
            elif isinstance(key, yaml.ScalarNode):
                own[str(key.value)] = value
        return {**merged, **own}

    def _count(self, node: yaml.Node) -> None:
        self.merges += 1
        if self.merges > MAX_MERGES:
            raise ComposeError(f"more than {MAX_MERGES} merge keys", *_place(node))

    def service(self, name: str, node: yaml.Node) -> Service:
        parts = self.members(node)
        networks = self.members(parts.get("networks"))
        aliases = [
            alias for network in networks.values() for alias in _texts(self.members(network).get("aliases"))
        ]
        names = [name, _text(parts.get("container_name")), _text(parts.get("hostname")), *aliases]
        runs = [_text(parts.get("image")), *_texts(parts.get("entrypoint")), *_texts(parts.get("command"))]
        extends = self.members(parts.get("extends"))
        base = _text(parts.get("extends")) or _text(extends.get("service")) or ""
        file = _text(extends.get("file"))
        return Service(
            name,
            *_place(node),
            frozenset(filter(None, names)),
            self.logging(parts["logging"]) if "logging" in parts else None,
            frozenset(self.ports(parts.get("ports"))),
            " ".join(filter(None, runs)),
            _text(parts.get("network_mode")) == "host",
            f"extends: {base} of {file}" if file else f"extends: {base}" if base else "",
        )

    def logging(self, node: yaml.Node) -> Logging:
        place = _place(node)
        if not isinstance(node, yaml.MappingNode):
            return Logging(*place, broken="logging must be a mapping")
        parts = self.members(node)
        options = parts.get("options")
        driver = _scalar(parts["driver"]) if "driver" in parts else None
        other = tuple(key for key in parts if key not in ("driver", "options") and not key.startswith("x-"))
        if options is not None and not isinstance(options, yaml.MappingNode):
            return Logging(*_place(options), driver, broken="options must be a mapping", other=other)
        return Logging(
            *place, driver, {key: _scalar(value) for key, value in self.members(options).items()}, other
        )

    def ports(self, node: yaml.Node | None) -> Iterator[tuple[str, int]]:
        for item in _items(node):
            parts = self.members(item)
            text = _text(item)
            if parts:
                published = _text(parts.get("published")) or ""
                text = f"{published}:{_text(parts.get('target'))}/{_text(parts.get('protocol')) or 'tcp'}"
            yield from _published(text or "")

    def extended(self, services: tuple[Service, ...]) -> tuple[Service, ...]:
        """`extends: name` within the file: the other's logging, when there is none of its own."""
        by_name = {service.name: service for service in services}
        return tuple(_extended(service, by_name) for service in services)


def _extended(service: Service, by_name: Mapping[str, Service]) -> Service:
    seen, base = {service.name}, service
    while base.logging is None and base.elsewhere.startswith("extends: ") and " of " not in base.elsewhere:
        name = base.elsewhere.removeprefix("extends: ")
        if name in seen or name not in by_name:
            return service
        seen.add(name)
        base = by_name[name]
    elsewhere = base.elsewhere if " of " in base.elsewhere else ""
    return replace(service, logging=base.logging, elsewhere=elsewhere)


def _published(text: str) -> Iterator[tuple[str, int]]:
    """The host's ports of `[host:]published:container[/protocol]`; without `published` the system chooses."""
    ports, _, kind = text.partition("/")
    parts = ports.rsplit(":", 2)
    found = _RANGE.fullmatch(parts[-2]) if len(parts) > 1 else None
    if found is not None:
        first, last = int(found[1]), int(found[2] or found[1])
        yield from ((kind or "tcp", port) for port in range(first, min(last, MAX_PORT) + 1))


def _place(node: yaml.Node | None) -> tuple[int, int]:
    mark = node.start_mark if node is not None else None
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _text(node: yaml.Node | None) -> str | None:
    return _expanded(str(node.value)) if isinstance(node, yaml.ScalarNode) else None


def _texts(node: yaml.Node | None) -> list[str]:
    """A text, or a list of them."""
    single = [node] if isinstance(node, yaml.ScalarNode) else []
    return [text for item in (*single, *_items(node)) if (text := _text(item))]


def _scalar(node: yaml.Node) -> Scalar:
    if not isinstance(node, yaml.ScalarNode):
        return Scalar("other", None, *_place(node))
    raw = str(node.value)
    if node.style is not None:  # quoted, or a block
        return Scalar("string", _expanded(raw), *_place(node))
    if raw in _BOOLS:
        return Scalar("bool", raw, *_place(node))
    if raw in _NULLS:
        return Scalar("null", "", *_place(node))
    if _NUMBER.fullmatch(raw):
        return Scalar("number", _number(raw), *_place(node))
    return Scalar("string", _expanded(raw), *_place(node))


def _number(raw: str) -> str:
    """As compose hands it on: 0x10 is 16, 010 is 8, 1e3 is 1000, 1.50 is 1.5."""
    text = raw.replace("_", "").lower()
    try:
        if re.fullmatch(r"[-+]?0o?[0-7]+", text):
            return str(int(text.replace("o", ""), 8))
        if text.lstrip("+-").startswith("0x"):
            return str(int(text, 16))
        number = float(text)
    except (ValueError, OverflowError):
        return raw
    if re.fullmatch(r"[-+]?\d+", text):
        return str(int(text)) if len(text) < 4000 else raw
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _expanded(text: str) -> str | None:
    """With variables' defaults; None when a variable has none."""
    unknown = False

    def value(found: re.Match[str]) -> str:
        nonlocal unknown
        if found[0] == "$$":
            return "$"
        unknown = unknown or found[2] is None
        return found[3] or ""

    expanded = _VARIABLE.sub(value, text)
    return None if unknown else expanded
