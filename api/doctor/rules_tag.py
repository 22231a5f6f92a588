"""The tag template: does Docker compile it, and can logdock read the tags that it makes?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from api.doctor.findings import Finding
from api.doctor.options import OURS, RECOMMENDED_TAG
from api.doctor.setup import Setup
from parsers.gotemplate import TemplateError
from parsers.inversion.concerns import Concern
from parsers.inversion.judge import FLUENTD_RECORD, GELF_RECORD, Verdict, judge
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
    if written:
        yield from _judged(setup, template)


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


@lru_cache(maxsize=64)  # a correction examines the file again after each of its fixes
def _verdict(text: str, driver: str) -> Verdict:
    return judge(TagTemplate.compile(text), GELF_RECORD if driver == "gelf" else FLUENTD_RECORD)


def _judged(setup: Setup, template: TagTemplate) -> Iterator[Finding]:
    verdict = _verdict(template.text, setup.driver)
    if verdict.is_ambiguous and not verdict.settled:
        yield _ambiguous(setup, verdict)
    for concern in verdict.concerns:
        yield from _concern(setup, concern)


def _ambiguous(setup: Setup, verdict: Verdict) -> Finding:
    better = verdict.better or RECOMMENDED_TAG
    readings = " or ".join(
        ", ".join(f"{k}={v}" for k, v in one.items()) or "none" for one in verdict.readings
    )
    return setup.warning(
        "tag-ambiguous",
        TAG,
        f"tag {setup.options[TAG]!r} is ambiguous: {verdict.counterexample!r} may be {readings}",
        "logdock leaves such fields out instead of guessing, and flags the lines tag_ambiguous",
        f'"tag": "{better}"',
        setup.editor.set({TAG: better}),
    )


def _concern(setup: Setup, concern: Concern) -> Iterator[Finding]:
    fix, edits = f'"tag": "{RECOMMENDED_TAG}"', setup.editor.set({TAG: RECOMMENDED_TAG})
    if concern.kind == "secrets":
        effect = "whoever reads logs, or the store, reads them"
        yield setup.warning("tag-secrets", TAG, concern.text, effect, fix, edits)
    elif concern.kind == "fails":
        yield setup.warning(
            "tag-fails", TAG, concern.text, "a container is created and never starts", fix, edits
        )
    elif concern.kind in ("no-value", "partial"):
        effect = "logdock knows less than the tag could tell"
        yield setup.advice("tag-partial", TAG, concern.text, effect, "print the field as it is")
