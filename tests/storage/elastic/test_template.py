from typing import Any

import pytest

from storage.elastic.template import (
    MAX_TERM_BYTES,
    MAX_TOKEN,
    MODES,
    PROPERTIES,
    STREAM,
    VERSION,
    installed_version,
    mapped_version,
    mapping,
    template,
)


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


@pytest.mark.parametrize(
    ("mappings", "version"),
    [
        ({"_meta": {"logdock": 7}, "properties": {}}, 7),
        ({"properties": PROPERTIES}, 1),
        ({"_meta": {"logdock": "7"}, "properties": PROPERTIES}, 1),
        ({"_meta": None, "properties": {"message": {"type": "text"}}}, 0),
        ({}, 0),
    ],
)
def test_the_version_of_a_mapping(mappings: dict[str, Any], version: int) -> None:
    assert mapped_version({".ds-logs-docker-default-000001": {"mappings": mappings}}) == version
    assert mapped_version({}) == 0


def test_an_update_brings_all_but_the_time() -> None:
    assert mapping()["_meta"] == {"logdock": VERSION} == template()["template"]["mappings"]["_meta"]
    assert mapping()["properties"].keys() == PROPERTIES.keys() - {"@timestamp"}


def test_both_modes_sort_alike_and_keep_sources() -> None:
    logsdb, standard = (template(mode=mode)["template"]["settings"] for mode in MODES)
    assert (logsdb["index.mode"], logsdb["index.mapping.source.mode"]) == ("logsdb", "stored")
    assert standard["index.codec"] == "best_compression"
    assert not {"index.mode", "index.mapping.source.mode"} & standard.keys()
    for settings in (logsdb, standard):
        assert settings["index.sort.field"] == ["container.id", "@timestamp"]


@pytest.mark.parametrize("field", ["created", "sequence"])
def test_what_orders_answers_is_never_left_out_of_the_index(field: str) -> None:
    assert template()["template"]["settings"]["index.mapping.ignore_malformed"] is True
    assert PROPERTIES["event"]["properties"][field]["ignore_malformed"] is False
    for ours in ("offset", "timestamp"):
        assert PROPERTIES["logdock"]["properties"][ours]["ignore_malformed"] is False


def test_a_whole_token_is_one_lucene_term() -> None:
    assert MAX_TOKEN * 4 <= MAX_TERM_BYTES
