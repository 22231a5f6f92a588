import pytest

from parsers.event import Container
from parsers.service import service_of

COMPOSE, SWARM = "com.docker.compose.service", "com.docker.swarm.service.name"
TASK, NODE = "l7vsr3kgrgbp6mi6oesythfim", "kljaxb2u1j62u64905zyizmv4"


def named(name: str | None, image: str | None = None) -> tuple[str | None, str | None]:
    return service_of(Container(None, name, image), {}, {})


def test_labels_come_first_then_the_tag_then_the_name_then_the_image() -> None:
    container = Container(None, "shop-web-1", "nginx")
    labels = {COMPOSE: "a", SWARM: "b"}
    assert service_of(container, labels, {COMPOSE: "c"}) == ("a", f"label:{COMPOSE}")
    assert service_of(container, {SWARM: "b"}, {COMPOSE: "c"}) == ("b", f"label:{SWARM}")
    assert service_of(container, {}, {SWARM: "d", COMPOSE: "c"}) == ("c", f"tag:{COMPOSE}")
    assert service_of(container, {}, {SWARM: "d"}) == ("d", f"tag:{SWARM}")
    assert service_of(container, {}, {}) == ("web", "name:compose")
    assert service_of(Container(None, "bare", "nginx"), {}, {}) == ("nginx", "image")


def test_empty_values_do_not_count() -> None:
    assert service_of(Container(None, "shop-web-1"), {COMPOSE: "", SWARM: ""}, {COMPOSE: ""}) == (
        "web",
        "name:compose",
    )


@pytest.mark.parametrize(
    ("name", "service", "source"),
    [
        (f"web.2.{TASK}", "web", "name:swarm"),
        (f"shop_web.2.{TASK}", "shop_web", "name:swarm"),
        (f"agent.{NODE}.{TASK}", "agent", "name:swarm"),
        (f"job.0.{TASK}", "job", "name:swarm"),
        ("shop-web-1", "web", "name:compose"),
        ("shop-web-12", "web", "name:compose"),
        ("shop_web_1", "web", "name:compose"),
        ("shop-api-gateway-3", "api-gateway", "name:compose"),
        ("my_shop-web-1", "web", "name:compose"),
        ("my-shop_web_1", "web", "name:compose"),
        ("shop-web.v2-1", "web.v2", "name:compose"),
        ("shop-web-run-0123456789ab", "web", "name:compose"),
        ("shop_web_run_0123456789ab", "web", "name:compose"),
        ("0123456789ab_shop-web-1", "web", "name:compose"),
        (f"0123456789ab_web.1.{TASK}", "web", "name:swarm"),
    ],
)
def test_names_that_compose_and_swarm_give(name: str, service: str, source: str) -> None:
    assert named(name) == (service, source)


@pytest.mark.parametrize(
    "name",
    [
        None, "", "web", "web-1", "web-one", "shop-web", "shop-web-", "shop-web-0", "shop-web-01", "-web-1",
        f"web.2.{TASK}x", f"web.two.{TASK}", f"a.b.2.{TASK}", f"-web.1.{TASK}", "web.2.short",
        "shop-web-run-0123", "0123456789ab_", "0123456789ab", "-" * 600 + "-1", "a-" * 300 + "1",
    ],
)  # fmt: skip
def test_other_names_are_no_service(name: str | None) -> None:
    assert named(name) == (None, None)


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
