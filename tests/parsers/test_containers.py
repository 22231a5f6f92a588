import pytest

from parsers import containers
from parsers.clock import UNORDERED, Latest
from parsers.containers import Containers, bounded, is_docker
from parsers.event import Container
from parsers.gelf import GelfMessage
from parsers.tag import TagTemplate

ID = "0123456789abcdef" * 4
GELF = {
    "command": "sh -c x", "created": "2026-11-24T03:42:29Z", "container_id": ID, "container_name": "web",
    "image_id": "sha256:" + ID, "image_name": "nginx:1.27", "tag": ID[:12],
}  # fmt: skip


def made() -> Containers:
    return Containers("here", [TagTemplate.compile("{{.ID}}")])


def gelf(extra: dict[str, object], host: str = "node-a") -> GelfMessage:
    return GelfMessage(host=host, short_message="x", full_message=None, timestamp=1, level=6, extra=extra)


def test_a_docker_record_keeps_its_labels_and_loses_one_slash() -> None:
    known = made().of_docker(ID[:12], {"container_id": ID, "container_name": "//web", "a": "b"}, "10.0.0.1")
    assert known.origin.container == Container(ID, "/web", None)
    assert (known.origin.labels, known.origin.tag_fields, known.flags) == ({"a": "b"}, {"ID": ID[:12]}, ())


def test_the_same_again_is_the_same_object_and_a_change_is_seen() -> None:
    made_here = made()
    first = made_here.of_docker("t", {"container_id": ID, "a": "b"}, "")
    assert made_here.of_docker("t", {"a": "b", "container_id": ID}, "") is first
    for meta, tag, peer in (
        ({"container_id": ID, "a": "c"}, "t", ""),
        ({"container_id": ID, "a": "b"}, "u", ""),
        ({"container_id": ID, "a": "b"}, "t", "10.0.0.1"),
    ):
        assert made_here.of_docker(tag, meta, peer).origin != first.origin


def test_a_source_among_the_labels_is_flagged() -> None:
    known = made().of_docker("t", {"container_id": ID, "source": "y"}, "")
    assert (known.origin.labels, known.flags) == ({"source": "y"}, ("source_overwritten",))


def test_docker_in_gelf_says_image_and_tag_and_labels() -> None:
    known = made().of_docker_gelf(gelf({**GELF, "a": "b"}), "10.0.0.1")
    assert known.origin.container == Container(ID, "web", "nginx:1.27")
    assert (known.origin.labels, known.origin.host, known.origin.tag) == ({"a": "b"}, "node-a", ID[:12])
    assert known.origin.tag_fields == {"ID": ID[:12]}


def test_a_gelf_container_is_remembered_by_all_that_it_says() -> None:
    made_here = made()
    first = made_here.of_docker_gelf(gelf({**GELF, "a": "b"}), "p")
    assert made_here.of_docker_gelf(gelf({**GELF, "a": "b"}), "p") is first
    assert made_here.of_docker_gelf(gelf({**GELF, "a": "c"}), "p").origin.labels == {"a": "c"}
    assert made_here.of_docker_gelf(gelf({**GELF, "a": "b"}, "node-b"), "p").origin.host == "node-b"


@pytest.mark.parametrize(
    ("extra", "docker"),
    [
        (GELF, True), ({"container_id": ID}, True), ({**GELF, "container_id": "label"}, True), ({}, False),
        ({"container_id": "label"}, False), ({"container_id": ID[:12], "tag": "t"}, False),
        ({"container_id": 5}, False),
    ],
)  # fmt: skip
def test_docker_is_known_in_gelf(extra: dict[str, object], docker: bool) -> None:
    assert is_docker(gelf(extra)) is docker


def test_another_gelf_sender_has_no_labels() -> None:
    made_here = made()
    known = made_here.of_gelf(gelf({"container_name": "web", "user": "kim"}), "10.0.0.1")
    assert known.origin.container == Container(None, "web", None)
    assert (known.origin.labels, known.origin.tag, known.origin.host) == ({}, None, "node-a")
    assert made_here.of_gelf(gelf({"container_name": "web", "user": "lee"}), "10.0.0.1") is known
    assert made_here.of_gelf(gelf({}, host=""), "10.0.0.1").origin.host == "10.0.0.1"


def test_another_forward_senders_tag_is_read_only_when_it_speaks_of_a_container() -> None:
    made_here = Containers("here", [TagTemplate.compile("docker.{{.Name}}")])
    anyone = made_here.of_record("docker.web", {"message": "x"}, "")
    assert (anyone.origin.container, anyone.origin.tag, anyone.origin.tag_fields) == (
        Container(),
        "docker.web",
        {},
    )
    relay = made_here.of_record("docker.web", {"container_id": ID}, "")
    assert relay.origin.container == Container(ID, "web", None)
    wrong = made_here.of_record("docker.web", {"container_id": "x", "container_name": "not a name"}, "")
    assert wrong is anyone


def test_the_times_of_a_container_are_known_by_its_id_else_by_host_and_name() -> None:
    here = made()
    docker = here.of_docker("t", {"container_id": ID, "container_name": "/web"}, "10.0.0.1").latest
    assert here.of_docker("t", {"container_id": ID, "container_name": "/web", "a": "b"}, "").latest is docker
    by_gelf = here.of_docker_gelf(gelf({**GELF}), "10.0.0.1")
    assert by_gelf is not None
    assert by_gelf.latest is docker
    named = here.of_gelf(gelf({"container_name": "web"}), "").latest
    assert named is not docker
    assert here.of_gelf(gelf({"container_name": "web"}, host="node-b"), "").latest is not named
    assert here.of_record("t", {"message": "x"}, "").latest is UNORDERED


def test_the_times_of_only_so_many_containers_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MAX_KNOWN", 2)
    here = made()
    ids = [f"{number:064x}" for number in range(3)]

    def latest(identity: str, label: str) -> Latest:
        return here.of_docker("t", {"container_id": identity, "label": label}, "").latest

    first = [latest(identity, "a") for identity in ids[:2]]
    assert latest(ids[0], "b") is first[0]
    latest(ids[2], "a")  # the second is the one that was not met for longest
    assert latest(ids[0], "c") is first[0]
    assert latest(ids[1], "c") is not first[1]


def test_memory_is_bounded() -> None:
    cache: dict[int, int] = {}
    for n in range(7):
        bounded(cache, 3)[n] = n
    assert cache == {6: 6}
