"""Which paths are Docker's."""

import pytest

from api.docker.paths import WORDS, docker_path


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/_ping", (None, "/_ping")),
        ("/v1.45/containers/json", ((1, 45), "/containers/json")),
        ("//v1.45//containers//web/logs", ((1, 45), "/containers/web/logs")),
        ("/v1.45", ((1, 45), "/")),
        ("/v1.45/what", ((1, 45), "/what")),
        ("/containersx", None),
        ("/v1/containers/json", None),
        ("/api/v1/containers", None),
        ("/", None),
        ("", None),
    ],
)
def test_paths(path: str, asked: object) -> None:
    assert docker_path(path) == asked


def test_no_word_hides_a_path_of_the_rest_application() -> None:
    assert not WORDS & {"api", "docs", "fluentd", "gelf", "healthz", "metrics", "openapi.json", "readyz", ""}
