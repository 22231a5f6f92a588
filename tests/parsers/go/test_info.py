from typing import Any

import pytest

from parsers.go.info import Info, short_id
from parsers.gotemplate import TemplateError, parse, render

SHA = "9d8e7c6b5a4f3e2d1c0ba9f8e7d6c5b4a39281700badcafefedcba0987654321"


def told(template: str, **fields: Any) -> bytes:
    return render(parse(template), Info(**fields))


@pytest.mark.parametrize(
    ("method", "fields", "text"),
    [
        ("ID", {"container_id": SHA}, "9d8e7c6b5a4f"), ("ID", {"container_id": "abc"}, "abc"),
        ("ID", {}, ""), ("FullID", {"container_id": SHA}, SHA),
        ("ImageID", {"container_image_id": "sha256:" + SHA}, "9d8e7c6b5a4f"),
        ("ImageFullID", {"container_image_id": "sha256:" + SHA}, "sha256:" + SHA),
        ("Name", {"container_name": "/web"}, "web"), ("Name", {"container_name": "//web"}, "/web"),
        ("Name", {"container_name": "web"}, "web"), ("ContainerName", {"container_name": "/web"}, "/web"),
        ("ImageName", {"container_image_name": "nginx:1"}, "nginx:1"),
        ("Command", {"container_entrypoint": "sh", "container_args": ["-c", "a b"]}, "sh -c a b"),
        ("Command", {}, ""), ("Hostname", {"hostname": b"node\xff"}, "node\udcff"),
        ("DaemonName", {}, "docker"), ("LogPath", {"log_path": "/x"}, "/x"),
        (
            "ContainerCreated",
            {"container_created": "2024-05-06T07:08:09Z"},
            "2024-05-06 07:08:09 +0000 UTC",
        ),
        ("ContainerEnv", {"container_env": ("A=1", b"B=2")}, "[A=1 B=2]"),
        ("Config.tag", {"config": {"tag": "x"}}, "x"),
        ("ContainerLabels.a", {"container_labels": {b"a": "é"}}, "é"),
    ],
)  # fmt: skip
def test_fields_and_methods(method: str, fields: dict[str, Any], text: str) -> None:
    assert told(f"{{{{.{method}}}}}", **fields) == text.encode("utf-8", "surrogateescape")


def test_an_id_is_cut_behind_its_algorithm() -> None:
    assert short_id(b"a:b:0123456789abcdef") == b"b:0123456789"


def test_maps_and_lists_that_are_none_are_nil() -> None:
    assert told("{{json .ContainerLabels}} {{json .ContainerArgs}}") == b"null null"
    assert (
        told("{{json .ContainerLabels}} {{json .ContainerArgs}}", container_labels={}, container_args=())
        == b"{} []"
    )


EXTRA = {
    "config": {"labels": "a,none", "env": "A", "labels-regex": "^b", "env-regex": "C$"},
    "container_labels": {"a": "1", "b1": "2", "c": "3"},
    "container_env": ["A=env=x", "BC=4", "a=", "loose"],
}  # fmt: skip


def test_extra_attributes() -> None:
    assert told("{{.ExtraAttributes nil}}", **EXTRA) == b"map[A:env=x BC:4 a:1 b1:2]"
    assert told("{{(.ExtraAttributes nil).b1}}", **EXTRA) == b"2"
    assert told("{{.ExtraAttributes nil}}", container_labels={"a": "1"}) == b"map[]"
    assert (
        told(
            "{{.ExtraAttributes nil}}",
            config={"env": "a", "labels": "a"},
            container_labels={"a": "1"},
            container_env=["a=2"],
        )
        == b"map[a:2]"
    )


def test_an_expression_that_is_none() -> None:
    with pytest.raises(TemplateError, match="error calling ExtraAttributes: error parsing regexp"):
        told("{{.ExtraAttributes nil}}", config={"labels-regex": "("}, container_labels={"a": "1"})
