import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.event import Container
from parsers.service import DECLARED, Identity, identify, service_of

COMPOSE, SWARM = "com.docker.compose.service", "com.docker.swarm.service.name"
PROJECT, NUMBER = "com.docker.compose.project", "com.docker.compose.container-number"
ONEOFF, HOOK = "com.docker.compose.oneoff", "com.docker.compose.hook"
STACK, TASK_ID = "com.docker.stack.namespace", "com.docker.swarm.task.id"
TASK, NODE = "l7vsr3kgrgbp6mi6oesythfim", "kljaxb2u1j62u64905zyizmv4"


def named(
    name: str | None, image: str | None = None, labels: dict[str, str] | None = None, **fields: str
) -> tuple[str | None, str | None]:
    return service_of(Container(None, name, image), labels or {}, fields)


def told(name: str | None, labels: dict[str, str], image: str | None = None) -> Identity:
    return identify(Container(None, name, image), labels, {})


def in_tag(**labels: str) -> dict[str, str]:
    return {f"ContainerLabels.{key}": value for key, value in labels.items()}


def test_the_rungs_in_their_order() -> None:
    labels, tag, named_image = (
        {COMPOSE: "a", "service.name": "d"},
        in_tag(**{COMPOSE: "b"}),
        "ghcr.io/x/img:1",
    )
    container = Container(None, "shop-c-1", named_image)
    assert service_of(container, labels, tag) == ("a", f"label:{COMPOSE}")
    del labels[COMPOSE]
    assert service_of(container, labels, tag) == ("b", f"tag:{COMPOSE}")
    assert service_of(container, labels, {}) == ("c", "name:compose")
    container = Container(None, "my-shop-e-1", named_image)
    assert service_of(container, labels, {}) == ("d", "label:service.name")
    assert service_of(container, {}, {}) == ("e", "name:compose?")
    assert service_of(Container(None, "bare", named_image), {}, {}) == ("img", "image")
    assert service_of(Container(None, "bare"), {}, {}) == (None, None)


def test_a_statement_beats_a_guess_but_no_swarm_name() -> None:
    labels = {"service.name": "checkout"}
    assert named("my-shop-web-1", labels=labels) == ("checkout", "label:service.name")
    assert named(f"shop_web.1.{TASK}", labels=labels) == ("shop_web", "name:swarm")


def test_swarms_label_beats_the_one_that_an_image_built_by_compose_brings() -> None:
    assert named("bare", labels={COMPOSE: "image's", SWARM: "b"}) == ("b", f"label:{SWARM}")
    both = in_tag(**{SWARM: "d", COMPOSE: "c"})
    assert service_of(Container(None, "bare"), {}, both) == ("d", f"tag:{SWARM}")
    assert service_of(Container(None, "bare"), {COMPOSE: "c"}, in_tag(**{SWARM: "d"})) == (
        "c",
        f"label:{COMPOSE}",
    )


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({f"ContainerLabels.{COMPOSE}": "web"}, ("web", f"tag:{COMPOSE}")),
        ({f"ExtraAttributes.{SWARM}": "web"}, ("web", f"tag:{SWARM}")),
        ({"ExtraAttributes.OTEL_SERVICE_NAME": "web"}, ("web", "tag:OTEL_SERVICE_NAME")),
        ({"ContainerLabels.app": "web"}, ("web", "tag:app")),
        ({f"ContainerLabels.{COMPOSE}": "<no value>"}, (None, None)),
        ({f"ContainerLabels.{COMPOSE}": ""}, (None, None)),
        ({COMPOSE: "web", "Name": "web", "service": "web"}, (None, None)),
    ],
)
def test_labels_in_the_tag(fields: dict[str, str], found: tuple[str | None, str | None]) -> None:
    assert named("bare", **fields) == found


@pytest.mark.parametrize("value", ["", " ", "\t\n", "x" * 513])
def test_values_that_are_no_names(value: str) -> None:
    labels = {COMPOSE: value, SWARM: value, "service.name": value}
    assert named("shop-web-1", labels=labels) == ("web", "name:compose")
    assert named(None, labels=labels) == (None, None)


@pytest.mark.parametrize("key", [key for key in DECLARED if key != "OTEL_RESOURCE_ATTRIBUTES"])
def test_every_declared_key_in_label_and_tag(key: str) -> None:
    assert named("bare", "nginx", {key: "web"}) == ("web", f"label:{key}")
    assert service_of(Container(None, "bare"), {}, in_tag(**{key: "web"})) == ("web", f"tag:{key}")


def test_declared_keys_rank_as_listed() -> None:
    labels = {key: f"service.name={n}" if "ATTR" in key else str(n) for n, key in enumerate(DECLARED)}
    for n, key in enumerate(DECLARED):
        assert named(None, labels=labels) == (str(n), f"label:{key}")
        del labels[key]


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("service.name=web", "web"),
        ("a=b, service.name = web ,c=d", "web"),
        ("service.name=my%20web%2C1", "my web,1"),
        ("service.name=", None),
        ("service.namespace=x", None),
        ("service.name", None),
        (",,=,", None),
        ("a=" + "x" * 5000 + ",service.name=web", "web"),
        ("service.name=" + "x" * 513, None),
    ],
)
def test_resource_attributes(text: str, service: str | None) -> None:
    source = "label:OTEL_RESOURCE_ATTRIBUTES" if service else None
    assert named(None, labels={"OTEL_RESOURCE_ATTRIBUTES": text}) == (service, source)


def test_an_image_title_is_no_service() -> None:
    labels = {"org.label-schema.name": "CentOS Base Image", "org.opencontainers.image.title": "ubuntu"}
    assert named("bare", "shop/web", labels) == ("web", "image")


@pytest.mark.parametrize(
    ("name", "image", "found"),
    [
        ("a-b-c-1", None, ("c", "name:compose?")),
        ("my-shop-api-gateway-3", "ghcr.io/x/api-gateway:2", ("api-gateway", "name:compose?")),
        ("my-shop-redis-1", "redis:7", ("redis", "name:compose?")),
        ("my-shop-web-run-0123456789ab", None, ("web", "name:compose?")),
        ("shop_web_run_1", None, ("web", "name:compose?")),
        ("shop-web-1", "nginx", ("web", "name:compose")),
        ("shop-web-run-0123456789ab", None, ("web", "name:compose")),
        ("0123456789ab_shop-web-1", None, ("web", "name:compose")),
        ("web-1", "nginx:1", ("nginx", "image")),
    ],
)
def test_compose_names(name: str, image: str | None, found: tuple[str, str]) -> None:
    assert named(name, image) == found


def test_a_known_project_settles_a_name() -> None:
    assert named("a-b-c-1", labels={PROJECT: "a"}) == ("b-c", "name:compose")
    assert named("a-b-c-1", labels={PROJECT: "a-b", "service.name": "x"}) == ("c", "name:compose")
    assert service_of(Container(None, "a-b-c-1"), {}, in_tag(**{PROJECT: "a"})) == ("b-c", "name:compose")
    assert named("shop-web-1", "nginx", {PROJECT: "other"}) == ("nginx", "image")


@pytest.mark.parametrize(
    ("image", "service"),
    [
        ("nginx", "nginx"),
        ("nginx:1.27", "nginx"),
        ("ghcr.io/shop/web:1.2@sha256:" + "a" * 64, "web"),
        ("localhost:5000/web", "web"),
        ("localhost:5000/team/web@sha256:" + "a" * 64, "web"),
        ("sha256:" + "a" * 64, None),
        ("0123456789ab", None),
        ("", None),
        ("repo/", None),
    ],
)
def test_the_image_is_the_last_guess(image: str, service: str | None) -> None:
    assert named("bare", image) == (service, "image" if service else None)


UP = {PROJECT: "shop", COMPOSE: "web", NUMBER: "2", ONEOFF: "False"}


@pytest.mark.parametrize(
    ("name", "labels", "identity"),
    [
        ("any", UP, ("shop", "2", "service")),
        ("any", {**UP, NUMBER: "1", ONEOFF: "True"}, ("shop", None, "oneoff")),  # as compose 2.26 has it
        ("any", {**UP, ONEOFF: "", HOOK: "pre_start"}, ("shop", "2", "hook")),
        ("brave_curie", {PROJECT: "shop", COMPOSE: "web", HOOK: "pre_start"}, ("shop", None, "hook")),
        ("any", {COMPOSE: "web"}, (None, None, None)),
        ("shop-web-3", {COMPOSE: "web"}, ("shop", "3", "service")),
        ("a-b-web-3", {COMPOSE: "web"}, ("a-b", "3", "service")),
        ("a-b-c-3", {COMPOSE: "web"}, (None, None, None)),
        ("a-web-3", {COMPOSE: "web", ONEOFF: "True"}, ("a", None, "oneoff")),
        ("shop-web-run-0123456789ab", {COMPOSE: "web"}, ("shop", None, "oneoff")),
    ],
)
def test_compose_containers_told_apart(
    name: str, labels: dict[str, str], identity: tuple[str | None, str | None, str | None]
) -> None:
    assert told(name, labels) == Identity(
        "web", f"label:{COMPOSE}", identity[0], identity[1], None, identity[2]
    )


def test_compose_containers_told_apart_by_name_alone() -> None:
    assert told("shop-web-3", {}) == Identity("web", "name:compose", "shop", "3", None, "service")
    run = "shop-web-run-0123456789ab"
    assert told(run, {}) == Identity("web", "name:compose", "shop", None, None, "oneoff")


def test_a_guess_names_no_project() -> None:
    assert told("a-b-c-1", {}) == Identity("c", "name:compose?", None, "1", None, "service")


def test_a_name_that_does_not_agree_with_what_is_declared_tells_nothing() -> None:
    source = "label:service.name"
    assert told("a-b-c-1", {"service.name": "x"}) == Identity("x", source)
    assert told("a-b-c-1", {"service.name": "c"}) == Identity("c", source, "a-b", "1", None, "service")


def test_swarm_tasks_told_apart() -> None:
    by_name = told(f"shop_web.2.{TASK}", {})
    assert by_name == Identity("shop_web", "name:swarm", None, "2", TASK, "service")
    in_stack = told(f"shop_web.2.{TASK}", {SWARM: "shop_web", STACK: "shop"})
    assert in_stack == Identity("shop_web", f"label:{SWARM}", "shop", "2", TASK, "service")
    everywhere = told(f"agent.{NODE}.{TASK}", {})
    assert (everywhere.replica, everywhere.task_id) == (NODE, TASK)
    overwritten = {SWARM: "web", TASK_ID: TASK, "com.docker.swarm.task.name": f"web.4.{TASK}"}
    assert told("web", overwritten) == Identity("web", f"label:{SWARM}", None, "4", TASK, "service")


def test_whoever_is_neither_has_no_details() -> None:
    assert told("web", {"service.name": "x"}, "nginx") == Identity("x", "label:service.name")
    assert told("web", {}, "nginx") == Identity("nginx", "image")
    assert told(None, {}) == Identity()


def test_details_in_the_tag() -> None:
    fields = in_tag(**UP)
    found = identify(Container(None, "any"), {}, fields)
    assert found == Identity("web", f"tag:{COMPOSE}", "shop", "2", None, "service")


TEXT = st.one_of(st.text(max_size=30), st.from_regex(r"[a-z._-]+[-_.](1|run-[0-9a-f]{12})", fullmatch=True))
LABELS = st.dictionaries(
    st.one_of(st.sampled_from([COMPOSE, SWARM, PROJECT, NUMBER, ONEOFF, HOOK, STACK, *DECLARED]), TEXT), TEXT
)


@given(TEXT, TEXT, LABELS, LABELS)
def test_the_narrow_form_agrees_with_the_wide_one_whatever_is_sent(
    name: str, image: str, labels: dict[str, str], tag: dict[str, str]
) -> None:
    container = Container(None, name or None, image or None)
    found = identify(container, labels, in_tag(**tag))
    assert service_of(container, labels, in_tag(**tag)) == (found.service, found.source)
    assert (found.service is None) == (found.source is None)
