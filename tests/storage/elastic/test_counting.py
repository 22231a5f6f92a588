"""Counting in a real Elasticsearch: what is said when it cannot be exact, and several backing indices."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from pytest import MonkeyPatch

from storage.by import By
from storage.counts import MANY_VALUES, Facets, ValueCount
from storage.elastic import composite, counting
from storage.elastic.store import ElasticStore
from storage.grammar import parse
from storage.metrics import Metrics
from storage.query import Query
from tests.real import elastic
from tests.real.conftest import elasticsearch  # noqa: F401 - the fixture
from tests.storage.factories import JOURNAL, after, event

pytestmark = pytest.mark.elasticsearch

LINES = [
    event(n, f"line {n} timed out" if n % 4 else "timed, out", fields={"n": n, "even": n % 2 == 0})
    for n in range(600)
]


class Stream:
    def __init__(self, store: ElasticStore, url: str, name: str) -> None:
        self.store, self.url, self.name = store, url, name

    async def post(self, path: str) -> None:
        verify = elastic.trust(elastic.given_ca())
        async with httpx.AsyncClient(trust_env=False, verify=verify) as client:
            answer = await client.post(f"{elastic.superuser(self.url)}/{path}")
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def stream(elasticsearch: str, tmp_path: Path) -> AsyncIterator[Stream]:  # noqa: F811
    name = f"logs-docker-test{uuid4().hex[:12]}"
    store = ElasticStore(
        elasticsearch, tmp_path, JOURNAL, Metrics(), on_rejected=print, stream=name, fresh_seconds=30.0,
        ca_certs=elastic.given_ca(),
    )  # fmt: skip
    await store.start()
    yield Stream(store, elasticsearch, name)
    await store.close()
    verify = elastic.trust(elastic.given_ca())
    async with httpx.AsyncClient(trust_env=False, verify=verify) as client:
        await client.delete(f"{elastic.superuser(elasticsearch)}/_data_stream/{name}")


async def test_too_many_lines_to_look_at_are_sampled(stream: Stream, monkeypatch: MonkeyPatch) -> None:
    await stream.store.append(LINES, after(LINES))
    query = Query(text=parse('"timed out"'))
    exact = await stream.store.histogram(query, By("field", "even"), 5)
    assert exact.exact and exact.lines == 450
    monkeypatch.setattr(counting, "SCAN_HITS", 500)
    monkeypatch.setattr(counting, "SAMPLE_HITS", 300)
    monkeypatch.setattr(counting, "SCAN_WINDOW", 100)
    found = await stream.store.histogram(query, By("field", "even"), 5)
    assert not found.exact
    assert found.notes == ("estimates: of 600 lines that have to be looked at one by one, one in 2 was",)
    assert found.lines % 2 == 0 and 350 < found.lines < 550
    assert found.lines == sum(sum(bucket.by.values()) for bucket in found.buckets)
    assert (await stream.store.histogram(query, By("field", "even"), 5)) == found  # always the same sample


async def test_all_pages_of_what_has_to_be_looked_at(stream: Stream, monkeypatch: MonkeyPatch) -> None:
    await stream.store.append(LINES, after(LINES))
    monkeypatch.setattr(counting, "SCAN_WINDOW", 7)
    found = await stream.store.facets(Query(text=parse("/timed.*out/")), By("service"), 5)
    assert found == Facets((ValueCount("web", 600),))


async def test_many_values_come_in_pages_and_have_a_bound(stream: Stream, monkeypatch: MonkeyPatch) -> None:
    await stream.store.append(LINES, after(LINES))
    monkeypatch.setattr(composite, "BUCKETS_AT_ONCE", 100)
    found = await stream.store.facets(Query(), By("field", "n"), 1000)
    assert found.exact and {value.count for value in found.values} == {1} and len(found.values) == 600
    monkeypatch.setattr(composite, "MAX_PAGES", 3)
    found = await stream.store.facets(Query(), By("field", "n"), 1000)
    assert not found.exact and found.notes == (MANY_VALUES,) and len(found.values) == 300
    counted = await stream.store.histogram(Query(), By("field", "n"), 60)
    assert not counted.exact and counted.lines == 600


async def test_numbers_in_too_many_spellings_are_said(stream: Stream, monkeypatch: MonkeyPatch) -> None:
    lines = [event(n, f'{{"took":{n}.50}}', fields={"took": n + 0.5}, json_line=True) for n in range(5)]
    await stream.store.append(lines, after(lines))
    assert (await stream.store.facets(Query(), By("field", "took"), 9)).exact
    monkeypatch.setattr(counting, "TERMS_AT_ONCE", 4)
    found = await stream.store.facets(Query(), By("field", "took"), 9)
    assert not found.exact and "5 of its values are numbers" in found.notes[0]
    assert {value.value for value in found.values} == {"0.5", "1.5", "2.5", "3.5", "4.5"}


async def test_counts_over_several_backing_indices(stream: Stream) -> None:
    for start in (0, 200, 400):
        part = LINES[start : start + 200]
        await stream.store.append(part, after(part))
        await stream.store.flush()
        await stream.post(f"{stream.name}/_rollover")
    found = await stream.store.facets(Query(), By("field", "even"), 5)
    assert found == Facets((ValueCount("false", 300), ValueCount("true", 300)))
    counted = await stream.store.histogram(Query(), By("level"), 10)
    assert counted.exact and [bucket.count for bucket in counted.buckets][1:-1] == [60] * (
        len(counted.buckets) - 2
    )
    assert counted.lines == 600


async def test_documents_of_others_are_not_counted(stream: Stream) -> None:
    await stream.store.append(LINES[:3], after(LINES[:3]))
    await stream.store.flush()
    verify = elastic.trust(elastic.given_ca())
    async with httpx.AsyncClient(trust_env=False, verify=verify) as client:
        other = {"@timestamp": "2026-11-24T01:00:00Z", "message": "line of somebody else"}
        url = f"{elastic.superuser(stream.url)}/{stream.name}/_create/theirs?refresh=true"
        assert (await client.put(url, json=other)).status_code == 201
    for query in (Query(), Query(text=parse("line")), Query(text=parse("/line/"))):
        assert (await stream.store.histogram(query, None, 5)).lines == len(await _lines(stream, query)) > 0
        assert sum(v.count for v in (await stream.store.facets(query, By("level"), 5)).values) == 3 - (
            query.text is not None
        )


async def _lines(stream: Stream, query: Query) -> list[object]:
    return list((await stream.store.search(query)).events)


async def test_what_is_on_its_way_is_not_counted_and_said(stream: Stream, monkeypatch: MonkeyPatch) -> None:
    await stream.store.append(LINES[:5], after(LINES[:5]))
    assert (await stream.store.histogram(Query(), None, 5)).exact
    monkeypatch.setattr(stream.store, "_fresh_seconds", 0.2)
    async with stream.store._sending.still():  # nothing is sent in here
        await stream.store.append(LINES[5:9], after(LINES[5:9]))
        found = await stream.store.histogram(Query(), None, 5)
        values = await stream.store.facets(Query(), By("level"), 5)
    assert not found.exact and not values.exact and found.lines == 5
    assert "4 lines are on their way to it" in found.notes[0] and "on their way" in values.notes[0]
