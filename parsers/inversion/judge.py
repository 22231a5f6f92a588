"""Is a template ambiguous whatever the tag? A counterexample, and a template that says the same without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

import msgspec

from parsers.gotemplate import TemplateError, render
from parsers.inversion.patterns import Lit, Seq, Slot, length, slots
from parsers.inversion.readings import Reading
from parsers.inversion.samples import info, samples
from parsers.inversion.shapes import shape_of
from parsers.inversion.terms import NO_VALUE, Call, Concat, Const, Fact, Lookup, Term, Whole, show
from parsers.tag import TagTemplate

# Counterexamples that are compared to show the shortest one.
_ENOUGH: Final = 5
# Samples on which a template is tried for failing.
_TRIED: Final = 60


class Verdict(msgspec.Struct, frozen=True):
    """What is to be said of a template.

    `counterexample`: a tag of it that has several readings, None when none was found among the samples.
    `settled`: the container's id and name, which Docker sends beside the tag, decide between them.
    `better`: a template for the same fields without that. `warnings`: what else its user should know.
    """

    counterexample: str | None = None
    readings: tuple[Mapping[str, str], ...] = ()
    settled: bool = False
    better: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def is_ambiguous(self) -> bool:
        return self.counterexample is not None


def judge(template: TagTemplate) -> Verdict:
    """Tries the template on made-up containers; what is found is certain, what is not found is likely not."""
    warnings = tuple(_warnings(template))
    found = _counterexample(template, with_record=False)
    if found is None:
        return Verdict(warnings=warnings)
    lasting = _counterexample(template, with_record=True)
    tag, reading = lasting or found
    return Verdict(tag, reading.ambiguous, lasting is None, _better(template), warnings)


def _counterexample(template: TagTemplate, *, with_record: bool) -> tuple[str, Reading] | None:
    found = []
    for tag, reading in _ambiguous(template, with_record):
        found.append((tag, reading))
        if len(found) == _ENOUGH:
            break
    return min(found, key=lambda one: (len(one[0]), one[0])) if found else None


def _ambiguous(template: TagTemplate, with_record: bool) -> Iterator[tuple[str, Reading]]:
    for values in samples(template.symbolic):
        try:
            tag = render(template.template, info(values)).decode("utf-8", "replace")
        except TemplateError:
            continue
        record = {name: (values[name] or b"").decode() for name in ("FullID", "Name")} if with_record else {}
        reading = template.invert(tag, record)
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
                if _counterexample(candidate, with_record=False) is None:
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
    return first.text.decode("utf-8", "replace") if isinstance(first, Lit) else ""


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
        text = text[1:-1] if text.startswith("(") else text
        if free and quoted and place < len(terms) - 1:
            text = f"json ({text})"
        written.append("{{" + text + "}}")
    return written


def _warnings(template: TagTemplate) -> Iterator[str]:
    paths = template.symbolic.paths
    for path, term in paths.items():
        if isinstance(term, Lookup) and term.missing == NO_VALUE:
            key = term.key.decode("utf-8", "replace")
            yield (
                f'{{{{.{path}}}}} prints "<no value>" for a container without it; '
                f'{{{{index .{term.map} "{key}"}}}} prints nothing'
            )
    if "" in paths or any(isinstance(paths.get(name), Whole) for name in ("ContainerEnv",)):
        yield "the tag carries the container's whole environment, secrets too, to every reader of the logs"
    if not slots(template.symbolic.pattern):
        yield "the tag is the same for every container: it tells nothing"
    yield from _partial_warnings(template)
    yield from _failures(template)


def _failures(template: TagTemplate) -> Iterator[str]:
    """Docker renders the tag when it starts a container: one for which that fails does not start."""
    for values in islice(samples(template.symbolic), _TRIED):
        try:
            render(template.template, info(values))
        except TemplateError as error:
            yield f"some containers would not start: {error.docker}"
            return


def _partial_warnings(template: TagTemplate) -> Iterator[str]:
    for slot in slots(template.symbolic.pattern):
        if isinstance(slot.term, Call) and _plain(slot) is not None and not isinstance(slot.term, Concat):
            yield f"{{{{{show(slot.term)}}}}} may tell its field only in part"
