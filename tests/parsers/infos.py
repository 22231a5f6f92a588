"""Random containers: keyword arguments of parsers.go.info.Info; and data for the command line's --format."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from tests.parsers.templates import LABELS

NAMES = (
    b"/web-1", b"/shop-web-1", b"/", b"", b"/a.b_c", b"no-slash", b"//two", "/한국".encode(), b"/web\xff\xfe",
    b"/W X<&>\0", b"/front.1.abcdefghijklmnopqrstuvwxy",
)  # fmt: skip
IMAGES = (
    b"nginx", b"nginx:1.27", b"registry.example:5000/team/app:v1.2@sha256:" + b"ab" * 32, b"",
    b"sha256:" + b"0f" * 32,
)  # fmt: skip
VALUES = (
    b"", b"web", b"x y", b"\xff\xfe\x80", "é한\u2028".encode(), b'{"a": "<b>&c"}', b"A-b_C.d", b"%s%d", b"0",
    b"line\nfeed\t\0", b"a,b,,c", b"\xed\xa0\x80", "ǆßŉİ\U0001f600".encode(), b"`tick`", b"\\back\"slash'",
    b"web" * 30, b"12", b"true",
)  # fmt: skip
TIMES = (
    "2024-05-06T07:08:09.123456789Z", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z",
    "2000-02-29T23:59:59.5Z", "1999-12-31T12:00:00.000001Z", "2100-03-01T00:00:00.1Z",
    "9999-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.75Z", "2024-10-20T20:30:40.000Z",
)  # fmt: skip
REGEXES = (b"^com\\.docker\\.", b"^[a-k]", b"tier|b", b".", b"\\d")
DATA = (
    '{"s":"web","u":"\u00e9<&>","i":7,"f":1.5,"b":true,"n":null,"l":["a",2,null,1.5,[1],{"k":"v"}],'
    '"m":{"s":"x","i":-3,"n":{"z":1,"a":"b"},"l":[],"e":{}},"x":{"y":{"z":"deep"}}}',
    '{"s":"","l":[],"m":{},"i":0,"n":null}',
    '[1,"two",null,{"s":"in list"},[]]',
    '"text"',
    "12",
    "null",
    '{"s":"a-b","i":41,"f":1e21,"l":["x","y"],"m":{"n":["p","q"]},"b":false}',
)  # fmt: skip


def container(random: Random) -> dict[str, Any]:
    """Keyword arguments of Info."""
    keys = tuple(label.encode() for label in LABELS)
    labels = _entries(random, (*keys, b"", b"bad\xff", b"with space", b"Z"))
    config = _entries(random, (b"tag", b"x", b"fluentd-address"))
    if random.random() < 0.5:
        config |= {b"labels": b"a,tier,nope", b"env": b"A,B", b"labels-regex": random.choice(REGEXES)}
    environment = [name + random.choice(VALUES) for name in (b"A=", b"B=", b"PATH=", b"loose")]
    return {
        "config": random.choice((config, config, config, None)),
        "container_id": _hexadecimal(random, random.choice((64, 64, 64, 12, 0))),
        "container_name": random.choice(NAMES),
        "container_entrypoint": random.choice((b"/bin/sh", b"", *VALUES)),
        "container_args": random.choice((None, [], _some(random, VALUES), [b"-c", b"sleep 1"])),
        "container_image_id": random.choice((b"sha256:", b"")) + _hexadecimal(random, 64),
        "container_image_name": random.choice(IMAGES),
        "container_created": random.choice(TIMES),
        "container_env": random.choice((None, environment, _some(random, environment))),
        "container_labels": random.choice((labels, labels, labels, None, {})),
        "log_path": random.choice((b"", b"/var/log/x.log")),
        "hostname": random.choice((b"node-a", b"node-a.example", b"")),
    }


def _hexadecimal(random: Random, size: int) -> bytes:
    return "".join(random.choice("0123456789abcdef") for _ in range(size)).encode()


def _some(random: Random, values: Sequence[bytes]) -> list[bytes]:
    return [random.choice(values) for _ in range(random.randint(0, 4))]


def _entries(random: Random, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    return {key: random.choice(VALUES) for key in random.sample(keys, random.randint(0, len(keys)))}
