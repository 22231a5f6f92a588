"""Paths: which are Docker's, with and without a version, and what is refused."""

import httpx
import pytest

from api.docker.app import ABSENT


@pytest.mark.parametrize("prefix", ["", "/v1.24", "/v1.41", "/v1.45"])
async def test_with_and_without_a_version(ask: httpx.AsyncClient, prefix: str) -> None:
    answer = await ask.get(f"{prefix}/_ping")
    assert (answer.status_code, answer.text) == (200, "OK")
    assert answer.headers["api-version"] == "1.45"
    assert answer.headers["ostype"] == "linux"
    assert answer.headers["docker-experimental"] == "false"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/v1.46/_ping", "client version 1.46 is too new. Maximum supported API version is 1.45"),
        ("/v9999.9999/version", "client version 9999.9999 is too new. Maximum supported API version is 1.45"),
        ("/v1.23/info", "client version 1.23 is too old. Minimum supported API version is 1.24"),
    ],
)
async def test_versions_that_are_not_spoken(ask: httpx.AsyncClient, path: str, text: str) -> None:
    answer = await ask.get(path)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(text)
    assert answer.headers["api-version"] == "1.45"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1.45/containers/create"),
        ("DELETE", "/containers/web"),
        ("POST", "/containers/web/start"),
        ("POST", "/containers/web/logs"),
        ("GET", "/containers/web/stats"),
        ("GET", "/v1.45/images/json"),
        ("GET", "/networks"),
        ("POST", "/v1.45/services/create"),
        ("PUT", "/containers/web/archive"),
        ("POST", "/build"),
        ("GET", "/exec/1/json"),
        ("POST", "/swarm/init"),
    ],
)
async def test_all_but_reading_is_refused(ask: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await ask.request(method, path)
    assert answer.status_code == 403
    told = path.removeprefix("/v1.45")
    assert answer.json() == {
        "message": "logdock answers for the logs of containers and is read only: "
        f"{method} {told} is not among its answers"
    }


@pytest.mark.parametrize("path", ["/v1.45", "/v1.45/", "/v1.45/nothing", "/v1.45/api/v1/logs", "/v1.45/docs"])
async def test_what_docker_does_not_have_is_not_there(ask: httpx.AsyncClient, path: str) -> None:
    answer = await ask.get(path)
    assert (answer.status_code, answer.json()) == (404, {"message": "page not found"})


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/healthz", "/metrics", "/api/v1/containers", "/openapi.json"]
)
async def test_the_other_paths_are_as_they_were(ask: httpx.AsyncClient, path: str) -> None:
    answer = await ask.get(path)
    assert answer.status_code == 200
    assert "api-version" not in answer.headers


async def test_a_version_alone_takes_no_rest_path(ask: httpx.AsyncClient) -> None:
    assert (await ask.get("/containersx")).json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ABSENT)
async def test_docker_inspect_goes_on_after_a_404(ask: httpx.AsyncClient, path: str) -> None:
    answer = await ask.get(path.replace("{name:path}", "x").replace("{name}", "x"))
    assert answer.status_code == 404
    assert "x" in answer.json()["message"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/images/web/json", "No such image: web:latest"),
        ("/images/localhost:5000/web/json", "No such image: localhost:5000/web:latest"),
        ("/images/web:2/json", "No such image: web:2"),
        ("/images/web@sha256:ab/json", "No such image: web@sha256:ab"),
        ("/plugins/web/json", 'plugin "web" not found'),
    ],
)
async def test_absence_in_dockers_words(ask: httpx.AsyncClient, path: str, message: str) -> None:
    assert (await ask.get(path)).json() == {"message": message}


async def test_a_foreign_host_is_refused_here_too(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("/v1.45/containers/json", headers={"Host": "evil.example"})
    assert answer.status_code == 403
    assert "answers only to localhost names" in answer.json()["message"]
