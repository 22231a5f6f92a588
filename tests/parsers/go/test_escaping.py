from typing import Any

import pytest

from parsers.go.escaping import html, js, url_query
from parsers.go.info import Info
from parsers.go.values import NO_VALUE


def test_html() -> None:
    assert html(b'<a href="x">\'&\0</a>') == "&lt;a href=&#34;x&#34;&gt;&#39;&amp;\ufffd&lt;/a&gt;".encode()
    assert html("é\u2028".encode() + b"\xff") == "é\u2028".encode() + b"\xff"


def test_js() -> None:
    assert js(b"\\'\"<>&=\n\x7f/") == b"\\\\\\'\\\"\\u003C\\u003E\\u0026\\u003D\\u000A\x7f/"
    assert js("é\u2028\u00a0\U0001f600\U000e0001".encode()) == "é\\u2028\\u00A0\U0001f600\\uE0001".encode()
    assert js(b"\xff\xe2\x82") == b"\xff\xe2\x82"


def test_url_query() -> None:
    assert url_query(b"a b/c?d=1&e~f_g-h.i") == b"a+b%2Fc%3Fd%3D1%26e~f_g-h.i"
    assert url_query("é".encode() + b"\xff") == b"%C3%A9%FF"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((), b""), ((1, 2), b"1 2"), ((b"a", 1), b"a1"), ((None,), b"<no value>"), ((NO_VALUE, 1),
        b"<no value>1"), (((b"a", b"b"),), b"[a b]"), ((b"a", b"b"), b"ab"),
    ],
)  # fmt: skip
def test_values_are_told_as_an_action_prints_them(values: tuple[Any, ...], text: bytes) -> None:
    assert html(*values) == text.replace(b"<", b"&lt;").replace(b">", b"&gt;")


def test_pointers_are_followed() -> None:
    assert html(Info()).startswith(b"{map[]")
