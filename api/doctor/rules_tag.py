"""The tag template: does Docker compile it, and can logdock read the tags that it makes?"""

from __future__ import annotations

from collections.abc import Iterator

from api.doctor.findings import Finding
from api.doctor.options import OURS, RECOMMENDED_TAG
from api.doctor.setup import Setup
from parsers.gotemplate import TemplateError
from parsers.tag import TagTemplate

TAG = "tag"


def check(setup: Setup) -> Iterator[Finding]:
    if setup.driver not in OURS:
        return
    written = setup.options.get(TAG, "")
    try:
        template = TagTemplate.compile(written)
    except TemplateError as error:
        yield from _invalid(setup, error)
        return
    if not written and setup.driver == "fluentd":
        yield _default(setup)
    yield from _ambiguous(setup, template)


def _invalid(setup: Setup, error: TemplateError) -> Iterator[Finding]:
    yield setup.error(
        "tag-invalid",
        TAG,
        f"tag {setup.options[TAG]!r}: {error}",
        setup.unstarted("template: log-tag"),
        f'for instance "{RECOMMENDED_TAG}"',
        setup.editor.set({TAG: RECOMMENDED_TAG}),
    )


def _default(setup: Setup) -> Finding:
    return setup.advice(
        "tag-default",
        TAG,
        "the tag is the container's id, and fluentd sends the image's name nowhere else",
        "logdock does not know the image of these lines",
        f'"tag": "{RECOMMENDED_TAG}", and the same template for logdock: --daemon-json or --tag-template',
    )


def _ambiguous(setup: Setup, template: TagTemplate) -> Iterator[Finding]:
    return iter(())
