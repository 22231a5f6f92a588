"""Versions in paths."""

import pytest

from api.docker.errors import DockerError
from api.docker.versions import API_VERSION, MIN_VERSION, check, split_version, text_of


@pytest.mark.parametrize(
    ("path", "version", "rest"),
    [
        ("/v1.41/info", (1, 41), "/info"),
        ("/v1.41", (1, 41), ""),
        ("/info", None, "/info"),
        ("/v1.41x/info", None, "/v1.41x/info"),
        ("/v1/info", None, "/v1/info"),
        ("/x/v1.41/info", None, "/x/v1.41/info"),
        ("/v123456.1/info", None, "/v123456.1/info"),
    ],
)
def test_split(path: str, version: tuple[int, int] | None, rest: str) -> None:
    assert split_version(path) == (version, rest)


def test_the_ends_are_spoken_and_nothing_beyond() -> None:
    check(API_VERSION)
    check(MIN_VERSION)
    for version in ((1, API_VERSION[1] + 1), (2, 0), (1, MIN_VERSION[1] - 1), (0, 99)):
        with pytest.raises(DockerError, match=text_of(version)):
            check(version)
