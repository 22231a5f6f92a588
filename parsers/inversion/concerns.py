"""What the user of a tag template should know besides whether its tags are ambiguous."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from parsers.gotemplate import TemplateError, render
from parsers.inversion.patterns import slots
from parsers.inversion.samples import info, samples
from parsers.inversion.terms import NO_VALUE, Lookup, Whole
from parsers.tag import TagTemplate

# Samples on which a template is tried: enough to meet each label there and not there.
_TRIED: Final = 60


class Concern(msgspec.Struct, frozen=True):
    """`kind`: "no-value", "secrets", "constant", "partial" or "fails"."""

    kind: str
    text: str


def concerns_about(template: TagTemplate) -> Iterator[Concern]:
    """At most one of each kind and expression."""
    yield from _missing(template)
    if any(isinstance(term, Whole) and term.name in ("", "ContainerEnv") for term in _paths(template)):
        yield Concern("secrets", "the tag carries the container's environment, secrets too, in every line")
    if not slots(template.symbolic.pattern) and not template.symbolic.paths:
        yield Concern("constant", "the tag is the same for every container: it tells nothing")
    yield from _tried(template)


def _paths(template: TagTemplate) -> list[object]:
    return list(template.symbolic.paths.values())


def _missing(template: TagTemplate) -> Iterator[Concern]:
    for path, term in template.symbolic.paths.items():
        if isinstance(term, Lookup) and term.missing == NO_VALUE:
            key = term.key.decode("utf-8", "replace")
            yield Concern(
                "no-value",
                f'{{{{.{path}}}}} prints "<no value>" for a container without it; '
                f'{{{{index .{term.map} "{key}"}}}} prints nothing',
            )


def _tried(template: TagTemplate) -> Iterator[Concern]:
    """What shows when tags are made, and read with nothing else known."""
    partial: dict[str, None] = {}
    failure: TemplateError | None = None
    for values in islice(samples(template.symbolic), _TRIED):
        try:
            tag = render(template.template, info(values)).decode("utf-8", "replace")
        except TemplateError as error:
            failure = failure or error
            continue
        reading = template.invert(tag)
        partial.update(dict.fromkeys(reading.partial if reading else ()))
    for expression in partial:
        yield Concern("partial", f"{{{{{expression}}}}} tells its field only in part")
    if failure is not None:
        # Docker makes the tag when it starts a container: where that fails, the container does not start
        yield Concern("fails", f"some containers would not start: {failure.docker}")
