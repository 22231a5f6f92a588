"""invert(render(template, container)) over random pairs: nothing told is wrong, all that can be told is."""

import random

import pytest

from parsers.go.info import Info
from parsers.gotemplate import TemplateError, render
from parsers.tag import TagTemplate
from tests.parsers.inversion.pairs import Container, clear, container, wild

CLEAR, WILD, CONTAINERS = 2_500, 2_500, 5  # templates of each kind, and containers for each


def info(made: Container) -> Info:
    return Info(
        container_id=made.id,
        container_name="/" + made.name,
        container_entrypoint=made.command[0],
        container_args=made.command[1:],
        container_image_id=made.image_id,
        container_image_name=made.image,
        container_labels=made.labels,
        hostname=made.hostname,
    )


def told_wrongly(fields: dict[str, str], truth: dict[str, str]) -> dict[str, str]:
    """Fields that are not what the container has. Those of no known path are others' business."""
    return {path: value for path, value in fields.items() if path in truth and truth[path] != value}


@pytest.mark.parametrize("seed", range(5))
def test_clear_templates_tell_every_field(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(CLEAR // 5):
        text, paths = clear(rng)
        template = TagTemplate.compile(text)
        for _ in range(CONTAINERS):
            made = container(rng)
            tag = render(template.template, info(made)).decode()
            reading = template.invert(tag)
            assert reading is not None, (text, tag)
            truth = made.truth()
            expected = {path: truth[path] for path in paths if truth.get(path)}
            assert {path: reading.fields.get(path) for path in expected} == expected, (text, tag)
            assert not told_wrongly(dict(reading.fields), truth), (text, tag)
            assert reading.ambiguous == (), (text, tag)


@pytest.mark.parametrize("seed", range(100, 105))
def test_wild_templates_tell_nothing_wrong(seed: int) -> None:
    rng = random.Random(seed)
    read = 0
    for _ in range(WILD // 5):
        text = wild(rng)
        try:
            template = TagTemplate.compile(text)
        except TemplateError:
            continue
        for _ in range(CONTAINERS):
            made = container(rng)
            try:
                tag = render(template.template, info(made)).decode()
            except (TemplateError, UnicodeDecodeError):
                continue
            _is_true(template, tag, made, {})
            _is_true(template, tag, made, {"FullID": made.id, "Name": made.name})
            read += 1
    assert read > WILD // 5 * CONTAINERS // 3


def _is_true(template: TagTemplate, tag: str, made: Container, known: dict[str, str]) -> None:
    reading = template.invert(tag, known)
    assert reading is not None, (template.text, tag, made)
    truth = made.truth()
    assert not told_wrongly(dict(reading.fields), truth), (template.text, tag, made)
    absent = [p for p in reading.fields if p.startswith("ContainerLabels.") and p not in truth]
    assert not absent, (template.text, tag, made)
    if reading.ambiguous and not reading.more:
        assert any(not told_wrongly(dict(one), truth) for one in reading.ambiguous), (
            template.text,
            tag,
            made,
        )
