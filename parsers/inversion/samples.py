"""Containers made up to try a template on: what it uses set to telling values, to none, and to values that
hold the template's own separators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from parsers.go.info import Info
from parsers.go.nodes import Template
from parsers.gotemplate import TemplateError, fields_used, render
from parsers.inversion.patterns import Alt, Guard, Lit, Loop, Pattern, Seq, Slot
from parsers.inversion.shapes import fits
from parsers.inversion.state import constant
from parsers.inversion.symbolic import Symbolic
from parsers.inversion.terms import Lookup, parts

ID: Final = b"4f2a9c17be03d586e1a7" + b"0b6c5d4e3f2a19788765" + b"c0ffee00" + b"1234567890abcdef"
IMAGE_ID: Final = (
    b"sha256:" + b"9d8e7c6b5a4f3e2d1c0b" + b"a9f8e7d6c5b4a3928170" + b"0badcafe" + b"fedcba0987654321"
)

# Facts and the values that a sample has when nothing else is asked for.
USUAL: Final[Mapping[str, bytes]] = {
    "FullID": ID,
    "Name": b"shop-web-1",
    "ImageName": b"registry.example:5000/shop/web:1.27",
    "ImageFullID": IMAGE_ID,
    "Hostname": b"node-a.example",
    "Command": b"/bin/server --port 8080",
}
LABEL: Final = b"web"
# Samples of one template that are tried: enough for every pair of values of the usual five fields.
MAX_SAMPLES: Final = 300
_EXTRA: Final = "ExtraAttributes"
# A stride through the samples that meets them all in an order without a pattern: a prime.
_STRIDE: Final = 1_000_003


def refusal(template: Template, labels: Iterable[str] = ()) -> TemplateError | None:
    """Why no container can start with the template; None when some can. `labels`: entries that it uses."""
    refused: TemplateError | None = None
    for values in _plain([*labels, *_entries_used(template)]):
        try:
            render(template, info(values))
        except TemplateError as error:
            if error.depends_on_values and "out of range" in error.docker:
                return None  # a longer name, or one more argument, would do
            refused = refused or error
        else:
            return None
    return refused


def _entries_used(template: Template) -> list[str]:
    """The entries of maps that the template names, in places too that are not followed."""
    paths = [used.path for used in fields_used(template)]
    return [b".".join(path).decode("utf-8", "replace") for path in paths if len(path) == 2]


def _plain(labels: list[str]) -> Iterator[dict[str, bytes | None]]:
    yield {**USUAL, **dict.fromkeys(labels, LABEL)}
    yield {**USUAL, **dict.fromkeys(labels, None)}
    yield {**USUAL, **dict.fromkeys(labels, b"1")}


def samples(symbolic: Symbolic) -> Iterator[dict[str, bytes | None]]:
    """Facts of containers, the usual one first; None stands for a label that is not there."""
    pools = {name: [value] for name, value in USUAL.items()}
    texts = _texts(symbolic.pattern)
    for name in ("Name", "ImageName", "Hostname"):
        pools[name] += _values(name, texts)
    for name in lookups(symbolic):
        pools[name] = [LABEL, None, b"", *_values(name, texts)[:6]]  # type: ignore[list-item]
    total = 1
    for pool in pools.values():
        total *= len(pool)
    for number in range(min(total, MAX_SAMPLES)):
        yield _sample(pools, number * _STRIDE % total)


def _sample(pools: Mapping[str, list[bytes]], number: int) -> dict[str, bytes | None]:
    chosen: dict[str, bytes | None] = {}
    for name, pool in pools.items():
        number, place = divmod(number, len(pool))
        chosen[name] = pool[place]
    return chosen


def _values(name: str, texts: list[bytes]) -> list[bytes]:
    """Values of a fact that hold what the template puts between its fields, or compares them with."""
    made = [value for text in texts for value in (text, b"a" + text + b"b", b"c" + text + b"d" + text + b"e")]
    return [value for value in dict.fromkeys(made) if _is_likely(value) and fits(name, value)][:12]


def _is_likely(value: bytes) -> bool:
    """A host called "--c" is possible; a counterexample should be believed."""
    return value[:1].isalnum() and value[-1:].isalnum()


def _texts(pattern: Pattern) -> list[bytes]:
    """The template's literals, whole and by their characters, and the constants of its conditions."""
    found: dict[bytes, None] = {}
    for text in _literals(pattern):
        found.setdefault(text)
        for byte in text[:8]:
            found.setdefault(bytes([byte]))
    return list(found)[:24]


def _literals(pattern: Pattern) -> Iterator[bytes]:
    match pattern:
        case Lit(text):
            yield text
        case Seq(inner) | Alt(_, inner):
            for part in inner:
                yield from _literals(part)
        case Loop(body):
            yield from _literals(body)
        case Guard(term) | Slot(_, term):
            yield from filter(None, map(constant, parts(term)))


def lookups(symbolic: Symbolic) -> list[str]:
    """The entries of maps that the template uses."""
    return [name for name, term in symbolic.paths.items() if isinstance(term, Lookup)]


def info(values: Mapping[str, bytes | None]) -> Info:
    """Docker's log info of a container with these facts."""
    maps: dict[str, dict[str | bytes, str | bytes]] = {"ContainerLabels": {}, "Config": {}, _EXTRA: {}}
    for name, value in values.items():
        start, _, key = name.partition(".")
        if start in maps and value is not None:
            maps[start][key.encode()] = value
    extra = [_text(name) + b"=" + _text(value) for name, value in maps[_EXTRA].items()]
    if extra:  # they are what the log options name, of the environment here
        maps["Config"].setdefault("env", b",".join(map(_text, maps[_EXTRA])))
    return Info(
        config=maps["Config"],
        container_id=values["FullID"] or b"",
        container_name=b"/" + (values["Name"] or b""),
        container_entrypoint=b"/bin/server",
        container_args=(b"--port", b"8080"),
        container_image_id=values["ImageFullID"] or b"",
        container_image_name=values["ImageName"] or b"",
        container_env=(b"PATH=/usr/bin", b"LANG=C.UTF-8", *extra),
        container_labels=maps["ContainerLabels"],
        hostname=values["Hostname"] or b"",
    )


def _text(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
