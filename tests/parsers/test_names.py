"""Names backwards. That compose and swarm really give such names is tested in tests/real."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.names import MAX_NAME, Reading, compose_readings, swarm_reading

TASK, NODE = "l7vsr3kgrgbp6mi6oesythfim", "kljaxb2u1j62u64905zyizmv4"


def halves(name: str) -> list[tuple[str | None, str]]:
    return [(reading.project, reading.service) for reading in compose_readings(name)]


@pytest.mark.parametrize(
    ("name", "service", "replica"),
    [
        (f"web.2.{TASK}", "web", "2"),
        (f"shop_web.12.{TASK}", "shop_web", "12"),
        (f"agent.{NODE}.{TASK}", "agent", NODE),
        (f"job.0.{TASK}", "job", "0"),
        (f"srv-captain--app.1.{TASK}", "srv-captain--app", "1"),
    ],
)
def test_swarm_names(name: str, service: str, replica: str) -> None:
    assert swarm_reading(name) == Reading(service, "service", None, replica, TASK)
    assert compose_readings(name) == ()


@pytest.mark.parametrize(
    "name",
    [
        "", "web", f"web.2.{TASK}x", f"web.two.{TASK}", f"a.b.2.{TASK}", f"-web.1.{TASK}", f"web_.1.{TASK}",
        "web.2.short", f".1.{TASK}", f"web.2.{TASK.upper()}", "a" * 600 + f".1.{TASK}",
    ],
)  # fmt: skip
def test_names_that_swarm_cannot_have_given(name: str) -> None:
    assert swarm_reading(name) is None


@pytest.mark.parametrize(
    ("name", "project", "service", "replica"),
    [
        ("shop-web-1", "shop", "web", "1"),
        ("shop-web-12", "shop", "web", "12"),
        ("shop_web_1", "shop", "web", "1"),
        ("my_shop-web-1", "my_shop", "web", "1"),
        ("my-shop_web_1", "my-shop", "web", "1"),
        ("shop-web_tier-1", "shop", "web_tier", "1"),
        ("shop-web.v2-1", "shop", "web.v2", "1"),
        ("shop-Web-1", "shop", "Web", "1"),
        ("0123456789ab_shop-web-1", "shop", "web", "1"),
        ("k8s_web_1", "k8s", "web", "1"),
    ],
)
def test_compose_names_with_one_reading(name: str, project: str, service: str, replica: str) -> None:
    assert compose_readings(name) == (Reading(service, "service", project, replica),)


@pytest.mark.parametrize("name", ["shop-web-run-0123456789ab", "shop_web_run_0123456789ab"])
def test_one_offs(name: str) -> None:
    assert compose_readings(name) == (Reading("web", "oneoff", "shop"),)


@pytest.mark.parametrize(
    ("name", "readings"),
    [
        ("a-b-c-1", [("a", "b-c"), ("a-b", "c")]),
        ("a_b_c_1", [("a", "b_c"), ("a_b", "c")]),
        ("a-b-c-d-1", [("a", "b-c-d"), ("a-b", "c-d"), ("a-b-c", "d")]),
        ("a-b-c-run-0123456789ab", [("a", "b-c"), ("a-b", "c")]),
        ("a--b-1", [("a", "-b"), ("a-", "b")]),
        ("shop_web_run_1", [("shop", "web_run"), ("shop_web", "run"), ("shop", "web")]),
    ],
)
def test_compose_names_with_several_readings(name: str, readings: list[tuple[str, str]]) -> None:
    assert halves(name) == readings


def test_old_one_offs_are_told_from_replicas() -> None:
    assert [(r.kind, r.replica) for r in compose_readings("shop_web_run_1")] == [
        ("service", "1"),
        ("service", "1"),
        ("oneoff", None),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "", "web", "web-1", "web-one", "shop-web", "shop-web-", "shop-web-0", "shop-web-01", "-web-1",
        "shop-web-run-0123", "shop-web_1", "shop_web-1", "Shop-web-1", "run-0123456789ab",
        "web-run-0123456789ab", "shop-web-\u0661", "0123456789ab_", "0123456789ab",
        "-" * 600 + "-1", "a-" * 300 + "1", "shop-web-1234567", "shop-wéb-1",
        "k8s_web_web-7d9f_default_0b9f3a1e-8f0e-4f6c-9d54-0b9f3a1e8f0e_1",
        "k8s_POD_web-7d9f_kube-system_0b9f3a1e8f0e4f6c9d540b9f3a1e8f0e_2_0badcafe",
        "web-1b4e28ba-2fa1-11d2-883f-0016d3cca427", "ecs-web-7-nginx-acc699c0cbf2d6d11700",
    ],
)  # fmt: skip
def test_names_that_compose_cannot_have_given(name: str) -> None:
    assert compose_readings(name) == ()


PROJECT = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)
SERVICE = st.from_regex(r"[a-zA-Z0-9._-]{1,20}", fullmatch=True)


@given(PROJECT, SERVICE, st.integers(1, 999_999), st.sampled_from("-_"))
def test_what_compose_joined_is_among_the_readings(
    project: str, service: str, number: int, separator: str
) -> None:
    name = separator.join((project, service, str(number)))
    assert Reading(service, "service", project, str(number)) in compose_readings(name)
    name = separator.join((project, service, "run", f"{number:012x}"))
    assert Reading(service, "oneoff", project) in compose_readings(name)


def test_hostile_names_cost_little() -> None:
    names = ["-" * (MAX_NAME - 2) + "-1", "a-" * (MAX_NAME // 2 - 1) + "1", "a" * (MAX_NAME - 1) + "."]
    began = time.perf_counter()
    for name in names:
        compose_readings(name)
        swarm_reading(name)
    assert time.perf_counter() - began < 0.1
