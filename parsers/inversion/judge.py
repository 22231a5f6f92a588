"""Is a template ambiguous whatever the tag? A counterexample, and a template that says the same without."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import msgspec

from parsers.gotemplate import TemplateError, render
from parsers.inversion.concerns import Concern, concerns_about
from parsers.inversion.patterns import Lit, Seq, Slot, length, slots
from parsers.inversion.readings import Reading
from parsers.inversion.samples import info, samples
from parsers.inversion.shapes import shape_of
from parsers.inversion.terms import Call, Const, Fact, Lookup, Term, show
from parsers.tag import TagTemplate

# Counterexamples that are compared to show the shortest one.
_ENOUGH: Final = 5
# What Docker's drivers send of a container beside its tag (daemon/logger/fluentd, daemon/logger/gelf).
FLUENTD_RECORD: Final = ("FullID", "Name")
GELF_RECORD: Final = (*FLUENTD_RECORD, "ImageName", "Hostname")


class Verdict(msgspec.Struct, frozen=True):
    """What is to be said of a template.

    `counterexample`: a tag of it that has several readings, None when none was found among the samples.
    `settled`: the container's id and name, which Docker sends beside the tag, decide between them.
    `better`: a template for the same fields without that. `concerns`: what else its user should know.
    """

    counterexample: str | None = None
    readings: tuple[Mapping[str, str], ...] = ()
    settled: bool = False
    better: str | None = None
    concerns: tuple[Concern, ...] = ()

    @property
    def is_ambiguous(self) -> bool:
        return self.counterexample is not None


def judge(template: TagTemplate, record: Collection[str] = FLUENTD_RECORD) -> Verdict:
    """Tries the template on made-up containers; what is found is certain, what is not found is likely not.

    `record`: the facts that the driver sends beside the tag.
    """
    concerns = tuple(concerns_about(template))
    found = _counterexample(template)
    if found is None:
        return Verdict(concerns=concerns)
    lasting = _counterexample(template, record)
    tag, reading = lasting or found
    return Verdict(tag, reading.ambiguous, lasting is None, _better(template), concerns)


def _counterexample(template: TagTemplate, record: Collection[str] = ()) -> tuple[str, Reading] | None:
    found = []
    for tag, reading in _ambiguous(template, record):
        found.append((tag, reading))
        if len(found) == _ENOUGH:
            break
    return min(found, key=lambda one: (len(one[0]), one[0])) if found else None


def _ambiguous(template: TagTemplate, record: Collection[str]) -> Iterator[tuple[str, Reading]]:
    for values in samples(template.symbolic):
        try:
            tag = render(template.template, info(values)).decode("utf-8", "replace")
        except TemplateError:
            continue
        reading = template.invert(tag, {name: (values[name] or b"").decode() for name in record})
        if reading is not None and reading.ambiguous:
            yield tag, reading


def _better(template: TagTemplate) -> str | None:
    """The first of some rearrangements of the template's fields that is not ambiguous."""
    plain = [_plain(slot) for slot in slots(template.symbolic.pattern)]
    terms = list(dict.fromkeys(term for term in plain if term is not None))
    prefix = _prefix(template)
    for order in (terms, sorted(terms, key=_freedom)):
        for separator in ("/", "|"):
            for quoted in (False, True):
                text = prefix + separator.join(_written(order, quoted))
                candidate = TagTemplate.compile(text)
                if _counterexample(candidate) is None:
                    return text
    return None


def _plain(slot: Slot) -> Fact | Lookup | None:
    """The fact that a slot is about."""
    term: Term = slot.term
    while isinstance(term, Call):
        term = next((part for part in term.arguments if not isinstance(part, Const)), Const(b""))
    return term if isinstance(term, Fact | Lookup) else None


def _prefix(template: TagTemplate) -> str:
    pattern = template.symbolic.pattern
    first = pattern.parts[0] if isinstance(pattern, Seq) and pattern.parts else pattern
    text = first.text.decode("utf-8", "replace") if isinstance(first, Lit) else ""
    return "" if "{{" in text else text


def _freedom(term: Fact | Lookup) -> tuple[int, int]:
    """Fixed lengths first, labels last."""
    least, most = length(shape_of(term.name if isinstance(term, Fact) else ""))
    order = ("Name", "Hostname", "ImageName")
    place = order.index(term.name) if isinstance(term, Fact) and term.name in order else len(order)
    return (0 if least == most else 1 if isinstance(term, Fact) else 2), place


def _written(terms: list[Fact | Lookup], quoted: bool) -> list[str]:
    """Actions for the terms; free values quoted, but for the last, which nothing follows."""
    written = []
    for place, term in enumerate(terms):
        text = show(term)
        free = isinstance(term, Lookup)
        text = text[1:-1] if text.startswith("(index") else text
        if free and quoted and place < len(terms) - 1:
            text = f"json ({text})"
        written.append("{{" + text + "}}")
    return written
