"""The corrected file: every fix that is certain, one after another, and nothing else changed.

One kind of finding is fixed at a time and the result is examined again, because one fix may uncover what the
next has to do: a driver that is corrected has options to be looked at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from api.doctor.document import Document, Replacement, apply
from api.doctor.examine import Context, Examined, examine
from api.doctor.findings import Finding
from api.doctor.reader import read, repaired

MAX_ROUNDS = 200  # twice the kinds of findings; the bound is against two rules that undo each other


@dataclass(frozen=True)
class Correction:
    """`text`: the file as it should be, which may be as it is; None when a person has to decide what `left`
    says."""

    text: str | None
    left: tuple[Finding, ...] = ()


def correct(examined: Examined, context: Context) -> Correction:
    document = examined.document
    hopeless = any(finding.code in ("json-encoding", "json-not-object") for finding in examined.findings)
    text = None if hopeless or document.broken else _as_json(document)
    if text is None:
        return Correction(None, _undecided(examined))
    for _ in range(MAX_ROUNDS):
        current = examine(text, context)
        changes = _next(current.findings)
        if not changes:
            left = _undecided(current)
            return Correction(None if left else text, left)
        text = apply(text, changes)
    return Correction(None, _undecided(examine(text, context)))


def _next(findings: tuple[Finding, ...]) -> list[Replacement]:
    """The edits of the first finding that has some, and of those of its kind that touch other places."""
    code = next((finding.code for finding in findings if finding.edits), None)
    taken: list[Replacement] = []
    spans: list[tuple[int, int]] = []
    for finding in findings:
        if finding.code != code or not finding.edits:
            continue
        start, end = min(e.start for e in finding.edits), max(e.end for e in finding.edits)
        if all(end < first or last < start for first, last in spans):
            taken += finding.edits
            spans.append((start, end))
    return taken


def _undecided(examined: Examined) -> tuple[Finding, ...]:
    """Errors and warnings without a fix that is certain."""
    return tuple(finding for finding in examined.findings if finding.counts and not finding.edits)


def _as_json(document: Document) -> str | None:
    """The text with its repairs, which must make it JSON."""
    text = repaired(document)
    if document.root is None:
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    return None if read(text).problems else text
