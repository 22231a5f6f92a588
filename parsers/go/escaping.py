"""html, js and urlquery (Go: text/template/funcs.go, net/url)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from parsers.go.printing import printed
from parsers.go.runes import decode_rune, is_print
from parsers.go.values import NO_VALUE, Pointer

_HTML: Final = {
    b"\0": b"\xef\xbf\xbd", b'"': b"&#34;", b"'": b"&#39;", b"&": b"&amp;", b"<": b"&lt;", b">": b"&gt;",
}  # fmt: skip
_HTML_SPECIAL: Final = re.compile(rb"[\0\"'&<>]")
_JS: Final = {
    b"\\": b"\\\\", b"'": b"\\'", b'"': b'\\"', b"<": b"\\u003C", b">": b"\\u003E", b"&": b"\\u0026",
    b"=": b"\\u003D",
}  # fmt: skip
_JS_SPECIAL: Final = re.compile(rb"[\0-\x1f\\'\"<>&=]|[\x80-\xff]+")
_URL_SPECIAL: Final = re.compile(rb"[^A-Za-z0-9_.~-]")


def html(*values: Any) -> bytes:
    return _HTML_SPECIAL.sub(lambda found: _HTML[found[0]], text_of_arguments(values))


def js(*values: Any) -> bytes:
    return _JS_SPECIAL.sub(_js, text_of_arguments(values))


def url_query(*values: Any) -> bytes:
    return _URL_SPECIAL.sub(_url, text_of_arguments(values))


def text_of_arguments(values: Sequence[Any]) -> bytes:
    """The values as an action prints them, not as `print` does: pointers followed, nil as no value."""
    if len(values) == 1 and isinstance(values[0], bytes):
        return values[0]
    return printed([printable(value) for value in values])


def printable(value: Any) -> Any:
    """exec.go, printableValue"""
    if value is None or value is NO_VALUE:
        return b"<no value>"
    return value.target if isinstance(value, Pointer) and value.target is not None else value


def _js(found: re.Match[bytes]) -> bytes:
    data = found[0]
    if data[0] < 0x80:
        return _JS.get(data) or b"\\u00%02X" % data[0]
    parts, at = [], 0
    while at < len(data):
        rune, width = decode_rune(data, at)
        parts.append(data[at : at + width] if is_print(rune) else b"\\u%04X" % rune)
        at += width
    return b"".join(parts)


def _url(found: re.Match[bytes]) -> bytes:
    return b"+" if found[0] == b" " else b"%%%02X" % ord(found[0])
