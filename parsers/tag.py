"""A Docker tag run backwards: the template that made it says which part of it is which field.

The work is done in `parsers.inversion`; this is its face: a compiled template, what it reads out of a tag,
and which of several templates a tag is read with.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from parsers.go.nodes import Template
from parsers.gotemplate import TemplateError, parse
from parsers.inversion.patterns import EVERY, alphabet, length, literal_length, slots
from parsers.inversion.readings import Reading, read
from parsers.inversion.samples import lookups, refusal
from parsers.inversion.symbolic import Symbolic, evaluate_template

__all__ = [
    "DEFAULT_TEMPLATE", "MAX_TAG_LENGTH", "Reading", "TagTemplate", "TemplateError", "most_specific_first",
    "read_tag", "templates_from_daemon_json",
]  # fmt: skip

DEFAULT_TEMPLATE = "{{.ID}}"  # daemon/logger/loggerutils/log_tag.go, and the fluentd and gelf drivers

# Docker bounds no tag. The longest that says something is a rendered JSON of a container's labels.
MAX_TAG_LENGTH = 65_536

# A known name is searched for at every position of a tag: this keeps that linear.
_MAX_KNOWN = 1024


class TagTemplate(msgspec.Struct, frozen=True):
    """A compiled tag template."""

    text: str
    template: Template
    symbolic: Symbolic

    @staticmethod
    def compile(text: str) -> "TagTemplate":
        """Raises TemplateError (its position is into `text`) where Docker would start no container with it.
        An empty text means Docker's default.
        """
        text = text or DEFAULT_TEMPLATE
        template = parse(text)
        try:
            symbolic = evaluate_template(template)
        except TemplateError as error:
            raise refusal(template) or error from None
        refused = refusal(template, lookups(symbolic))
        if refused is not None:
            raise refused
        return TagTemplate(text, template, symbolic)

    @property
    def specificity(self) -> tuple[int, int, int, int]:
        """Larger is more specific: the literal bytes of every tag first, then those of fields whose length
        is fixed, then how few fields are free (labels), then the number of fields."""
        pattern = self.symbolic.pattern
        shapes = [slot.shape for slot in slots(pattern)]
        sizes = [length(shape) for shape in shapes]
        fixed = sum(least for least, most in sizes if least == most)
        free = sum(alphabet(shape) == EVERY for shape in shapes)
        return literal_length(pattern), fixed, -free, len(sizes)

    def invert(self, tag: str, known: Mapping[str, str] | None = None) -> Reading | None:
        """What the tag says, or None when this template cannot have made it.

        `known`: fields that are certain from elsewhere (`FullID`: 64 hex digits, `Name`: without a slash,
        ...). They decide where the tag alone leaves a choice; a tag that contradicts them gives None.
        """
        data = tag.encode("utf-8", "replace")
        if len(data) > MAX_TAG_LENGTH:
            return None
        facts = {name: value.encode("utf-8", "replace") for name, value in (known or {}).items()}
        return read(
            self.symbolic, data, {name: value for name, value in facts.items() if len(value) <= _MAX_KNOWN}
        )


def most_specific_first(templates: Iterable[TagTemplate]) -> tuple[TagTemplate, ...]:
    """The order in which templates are tried; equal ones keep the order they were given in."""
    return tuple(sorted(templates, key=lambda template: template.specificity, reverse=True))


def read_tag(
    templates: Sequence[TagTemplate], tag: str, beliefs: Iterable[Mapping[str, str]] = ({},)
) -> tuple[TagTemplate, Reading] | None:
    """The first template that can have made `tag`, and its reading. `templates`: most specific first.

    `beliefs`: what is known of the container, as far as it is to be believed: the next is tried only when no
    template can have made the tag with the one before.
    """
    for known in beliefs:
        for template in templates:
            reading = template.invert(tag, known)
            if reading is not None:
                return template, reading
    return None


def templates_from_daemon_json(text: str) -> list[str]:
    """The tag templates of a daemon.json: its `log-opts.tag`, or Docker's default.

    The options are those of the default driver: another driver's tag is not ours. As for dockerd, an empty
    file and null say nothing. Raises ValueError naming the key when the file is not what dockerd would take.
    """
    try:
        config = json.loads(text.removeprefix("\ufeff").strip() or "{}")
    except ValueError as error:
        raise ValueError(f"daemon.json is not JSON: {error}") from None
    config = _object(config, "daemon.json")
    tag = _object(config.get("log-opts"), "log-opts").get("tag")
    if not isinstance(tag, str | None):
        raise ValueError("log-opts.tag must be a string")
    ours = config.get("log-driver") in (None, "fluentd", "gelf")
    return [tag if tag and ours else DEFAULT_TEMPLATE]


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict | None):
        raise ValueError(f"{name} must be a JSON object")
    return value or {}
