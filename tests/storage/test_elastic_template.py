from typing import Any

import pytest

from storage.elastic_template import MAX_TERM_BYTES, MAX_TOKEN, STREAM, VERSION, installed_version, template


def reply(meta: Any) -> dict[str, Any]:
    return {"index_templates": [{"name": "logs-docker", "index_template": {"_meta": meta}}]}


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ({}, None),
        ({"index_templates": []}, None),
        (reply({"managed_by": "logdock", "version": 3}), 3),
    ],
)
def test_the_version_that_is_there(said: dict[str, Any], version: int | None) -> None:
    assert installed_version(said) == version


@pytest.mark.parametrize(
    "meta", [None, {}, {"managed_by": "me", "version": 1}, {"managed_by": "logdock", "version": "1"}]
)
def test_a_template_of_somebody_else_is_newer_than_any(meta: Any) -> None:
    found = installed_version(reply(meta))
    assert found is not None
    assert found > VERSION + 1000


def test_it_is_a_data_stream_above_the_built_in_one() -> None:
    made = template()
    assert STREAM.startswith(made["index_patterns"][0].rstrip("*"))
    assert made["data_stream"] == {}
    assert made["priority"] > 100
    assert installed_version({"index_templates": [{"index_template": made}]}) == VERSION


def test_a_whole_token_is_one_lucene_term() -> None:
    assert MAX_TOKEN * 4 <= MAX_TERM_BYTES
