"""Rendering whatever events hold."""

from storage.elastic.docs import Writer
from storage.elastic.render import Renderer
from tests.storage.elastic_events import event

GOOD, BROKEN, ALSO = event(0), event(1, level=object()), event(2)


def test_an_event_that_cannot_be_rendered_is_rejected_alone() -> None:
    writer = Writer()
    renderer, place, found = Renderer(writer), 0, []
    while place < 3:
        body, place, rejected = renderer.chunk([GOOD, BROKEN, ALSO], place, 1 << 20)
        found.append((body, [each.event for each in rejected]))
    assert found == [(writer.line(GOOD), []), (b"", [BROKEN]), (writer.line(ALSO), [])]


def test_a_body_leaves_it_out() -> None:
    writer = Writer()
    body, rejected = Renderer(writer).body([GOOD, BROKEN, ALSO], {ALSO.id})
    assert body == writer.line(GOOD) + writer.degraded(ALSO)
    assert [(each.event, each.reason) for each in rejected] == [(BROKEN, "unencodable")]
