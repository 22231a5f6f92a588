import pytest

from parsers import origins
from parsers.event import Container
from parsers.origins import (
    MAX_LABEL_NAME,
    MAX_LABEL_VALUE,
    MAX_LABELS,
    Origins,
    Seen,
    container_id,
    container_name,
)
from parsers.tag import TagTemplate

ID = "0123456789abcdef" * 4


def of(*templates: str) -> Origins:
    return Origins("here", [TagTemplate.compile(text) for text in templates])


def seen(**changes: object) -> Seen:
    whole = {
        "container_id": ID,
        "container_name": "/web",
        "name_is_dockers": True,
        "tag": "t",
        "peer": "10.0.0.1",
    }
    return Seen(**{**whole, **changes})  # type: ignore[arg-type]


def test_what_a_record_says_is_put_together() -> None:
    labels = {"com.docker.compose.service": "web", "x": b"\xff", "n": 5}
    origin, flags = of("{{.ID}}").origin(seen(labels=labels, image="nginx", tag=ID[:12]))
    assert flags == ()
    assert origin.container == Container(ID, "web", "nginx")
    assert origin.labels == {"com.docker.compose.service": "web", "n": "5", "x": "\ufffd"}
    assert (origin.service, origin.service_source) == ("web", "label:com.docker.compose.service")
    assert (origin.host, origin.tag, origin.tag_fields) == ("10.0.0.1", ID[:12], {"ID": ID[:12]})
    assert origin.tag_template == "{{.ID}}"


def test_equal_content_is_the_same_object() -> None:
    made = of("{{.ID}}")
    first = made.origin(seen(labels={"a": "1", "b": "2"}))[0]
    assert made.origin(seen(labels={"b": "2", "a": "1"}))[0] is first
    assert made.origin(seen(labels={"a": "1"}))[0] is not first


def test_the_tag_fills_what_the_record_lacks() -> None:
    nobody = seen(container_id=None, container_name=None, tag=f"{ID}|web|nginx:1|node-a")
    origin, flags = of("{{.FullID}}|{{.Name}}|{{.ImageName}}|{{.Hostname}}").origin(nobody)
    assert origin.container == Container(ID, "web", "nginx:1")
    assert (origin.host, flags) == ("node-a", ())


@pytest.mark.parametrize("is_dockers", [True, False])
def test_the_records_name_settles_an_ambiguous_tag(is_dockers: bool) -> None:
    made = of("{{.Name}}.{{.ImageName}}")
    origin, flags = made.origin(
        seen(container_name="/shop.web", name_is_dockers=is_dockers, tag="shop.web.nginx")
    )
    assert (origin.tag_fields, origin.container.image, flags) == (
        {"ImageName": "nginx", "Name": "shop.web"},
        "nginx",
        (),
    )


def test_what_nothing_settles_is_flagged_and_not_guessed() -> None:
    origin, flags = of("{{.Hostname}}.{{.ImageName}}").origin(seen(tag="a.b.c"))
    assert (origin.tag_fields, origin.container.image, flags) == ({}, None, ("tag_ambiguous",))


def test_a_tag_that_contradicts_dockers_own_name_was_made_by_another_template() -> None:
    origin, _ = of("{{.Name}}").origin(seen(container_name="/web", tag="docker.other"))
    assert (origin.tag_template, origin.tag_fields, origin.container.name) == (None, {}, "web")


def test_labels_that_only_the_tag_tells_are_labels() -> None:
    text = '{{index .ContainerLabels "com.docker.compose.service"}}/{{.ID}}'
    origin, _ = of(text).origin(seen(tag=f"api/{ID[:12]}", labels={"x": "y"}))
    assert origin.labels == {"com.docker.compose.service": "api", "x": "y"}
    assert (origin.service, origin.service_source) == ("api", "tag:com.docker.compose.service")


def test_a_label_of_the_record_stays_when_the_tag_has_another() -> None:
    """An environment variable of the same key overwrites a label in the record, not in the tag."""
    origin, _ = of('{{index .ContainerLabels "a"}}').origin(seen(tag="label", labels={"a": "variable"}))
    assert (origin.labels["a"], origin.tag_fields["ContainerLabels.a"]) == ("variable", "label")


def test_the_tags_name_goes_before_one_that_a_label_has_overwritten() -> None:
    origin, flags = of("docker.{{.Name}}").origin(
        seen(container_name="label", name_is_dockers=False, tag="docker.web")
    )
    assert (origin.container.name, origin.labels["container_name"], flags) == (
        "web",
        "label",
        ("container_name_overwritten",),
    )


@pytest.mark.parametrize("value", ["z", "", ID[:12], ID.upper(), ID + "0", 7, b"\xff", {"a": 1}])
def test_an_id_that_a_label_has_overwritten_is_a_label(value: object) -> None:
    origin, flags = of("{{.ID}}").origin(seen(container_id=value, tag="t"))
    assert origin.container == Container(None, "web", None)
    assert "container_id" in origin.labels
    assert flags == ("container_id_overwritten",)


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("", "here"), ("127.0.0.1", "here"), ("127.9.9.9", "here"), ("::1", "here"),
        ("::ffff:127.0.0.1", "here"),
        ("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("fe80::1", "fe80::1"),
        ("1.127.0.1", "1.127.0.1"),
    ],
)  # fmt: skip
def test_a_local_peer_is_this_machine(peer: str, host: str) -> None:
    assert of("{{.ID}}").origin(seen(peer=peer))[0].host == host


def test_the_host_is_the_senders_word_then_the_tags_then_the_peer() -> None:
    made = of("{{.Hostname}}")
    assert made.origin(seen(host="gelf", tag="node"))[0].host == "gelf"
    assert made.origin(seen(host="", tag="node"))[0].host == "node"
    assert made.origin(seen(tag="no node"))[0].host == "10.0.0.1"


@pytest.mark.parametrize(
    "name", ["", ".", "a.b.c", "com.docker.compose.service ", "\0", "한국", "a" * 500, "'\"\\"]
)
def test_any_label_name_is_kept(name: str) -> None:
    assert of("{{.ID}}").origin(seen(labels={name: "v"}))[0].labels == {name: "v"}


def test_surrogates_are_not_kept() -> None:
    origin, _ = of("{{.ID}}").origin(seen(labels={"a\ud800": "b\udfff"}, container_name="/c\ud800"))
    origin.key.encode()
    assert origin.labels == {"a\ufffd": "b\ufffd"}


def test_labels_are_bounded_and_the_cut_is_flagged() -> None:
    made = of("{{.ID}}")
    origin, flags = made.origin(
        seen(labels={"a": "v" * (MAX_LABEL_VALUE + 1), "n" * (MAX_LABEL_NAME + 1): "v"})
    )
    assert sorted(map(len, origin.labels)) == [1, MAX_LABEL_NAME]
    assert (len(origin.labels["a"]), flags) == (MAX_LABEL_VALUE, ("label_truncated",))
    origin, flags = made.origin(seen(labels={"a": "v" * MAX_LABEL_VALUE, "n" * MAX_LABEL_NAME: "v"}))
    assert flags == ()
    many = {f"{n:05}": "v" for n in range(MAX_LABELS + 5)}
    origin, flags = made.origin(seen(labels=dict(reversed(many.items()))))
    assert (list(origin.labels), flags) == (sorted(many)[:MAX_LABELS], ("labels_dropped",))
    wide = {f"{n:05}": "v" * MAX_LABEL_VALUE for n in range(20)}
    origin, flags = made.origin(seen(labels=wide))
    assert (len(origin.labels), flags) == (8, ("labels_dropped",))


def test_the_memory_of_origins_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "MAX_ORIGINS", 3)
    made = of("{{.ID}}")
    kept = [made.origin(seen(tag=str(n)))[0] for n in range(4)]
    assert len(made._interned) == 1
    assert made.origin(seen(tag="3"))[0] is kept[3]
    assert made.origin(seen(tag="0"))[0] == kept[0]
    monkeypatch.setattr(origins, "MAX_ORIGIN_TEXT", 10)
    made.origin(seen(tag="9"))
    assert len(made._interned) == 1


@pytest.mark.parametrize(
    ("value", "result"), [(ID, ID), (ID[:12], None), (ID.upper(), None), (5, None), (None, None)]
)
def test_an_id_is_64_hex_digits(value: object, result: str | None) -> None:
    assert container_id(value) == result


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("/web", "web"),
        ("web", "web"),
        ("//web", None),
        ("/", None),
        ("a b", None),
        ("", None),
        (5, None),
        ("a" * 300, None),
    ],
)
def test_a_name_is_what_docker_could_have_given(value: object, result: str | None) -> None:
    assert container_name(value) == result
