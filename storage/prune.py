"""What a prune takes away, as Docker's prune filters read, and what it did: values only.

Docker: `until` is one moment, several `label` must all hold, and what differs is combined with "and"
(moby daemon/prune.go). One difference: with several `label!`, Docker spares only what has all of them;
here any one spares a line, which is what its documentation says and the safer reading.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from parsers.event import Event, Origin
from storage import params as read
from storage.errors import QueryError
from storage.query import ContainerRef, Query, matches_origin

NOT_LABEL = "label!"  # Docker's own name of the filter
FILTERS = ("container", "service", "label", NOT_LABEL, "until")

Label = tuple[str, str | None]


class Selection(msgspec.Struct, frozen=True):
    """Which lines go: those for which every kind of condition that is given holds.

    `until`: observed before it (nanoseconds; never `timestamp`, which senders with wrong clocks write).
    Several containers or services mean any of them. `container_refs` are references as asked; stores look
    only at `containers`, which `resolve` fills. `text` is the filter as it was asked, for the record.
    """

    until: int | None = None
    containers: tuple[ContainerRef, ...] = ()
    services: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()  # all must hold; None: has the label
    not_labels: tuple[Label, ...] = ()  # none may hold
    container_refs: tuple[str, ...] = ()
    text: str = ""

    @staticmethod
    def from_filters(filters: Mapping[str, Sequence[str]], now: int) -> "Selection":
        """The selection that values by filter name say; durations count back from `now`, nanoseconds.

        Without `until` it is `now`, so that a prune has an end while lines arrive. Raises QueryError, also
        when there is no condition at all.
        """
        values = {name: list(given) for name, given in filters.items() if given}
        _check(values)
        until = read.single(values, "until", lambda text: read.time("until", text, now))
        return Selection(
            until=now if until is None else until,
            services=read.each(values, "service", str),
            labels=read.each(values, "label", read.label),
            not_labels=read.each(values, NOT_LABEL, _not_label),
            container_refs=read.each(values, "container", str),
            text=" ".join(f"{name}={value}" for name in FILTERS for value in values.get(name, ())),
        )


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """The lines of one container in a prune, with the timestamps of its first and last."""

    lines: int
    first: int
    last: int
    name: str | None = None
    id: str | None = None
    service: str | None = None


class PruneResult(msgspec.Struct, frozen=True):
    """What a prune removed, or would remove. `first` and `last` are timestamps.

    `bytes`: what that frees on the disk (in a dry run an estimate); None when the store cannot know.
    """

    lines: int = 0
    bytes: int | None = None
    first: int | None = None
    last: int | None = None
    parts: tuple[Part, ...] = ()  # the most lines first
    more: int = 0  # containers beyond those
    notes: tuple[str, ...] = ()  # what was not reached, and why


State = Literal["running", "done", "partial", "unknown"]
"""running: `lines` is what was found to remove, or has gone so far. partial: it ended early, `lines` went.
unknown: the process ended meanwhile, `lines` is the most that can be gone."""


class Pruned(msgspec.Struct, frozen=True, omit_defaults=True):
    """One removal. `at` is when, `first` and `last` are timestamps of its lines; all in nanoseconds."""

    id: str
    at: int
    reason: str  # "prune", "retention", "retention-size", "drop-oldest", ...
    lines: int
    first: int
    last: int
    bytes: int | None = None
    selection: str = ""  # the filter as it was asked
    parts: tuple[Part, ...] = ()  # whose lines, the most lines first
    more: int = 0  # containers beyond those
    state: State = "done"


def _check(values: Mapping[str, Sequence[str]]) -> None:
    for name, given in values.items():
        if name not in FILTERS:
            raise read.unknown(name, FILTERS)
        if any(not value.strip() for value in given):
            raise QueryError(name, f"{name} is empty: give it a value or leave it away")
        if len(given) > read.MAX_VALUES or any(len(value) > read.MAX_VALUE for value in given):
            raise QueryError(
                name, f"too much: at most {read.MAX_VALUES} values of {read.MAX_VALUE} characters"
            )
    if len(values.get("until", ())) > 1:
        raise QueryError("until", "until is given more than once")
    if not values:
        text = f"say what may go: at least one of {', '.join(FILTERS)}"
        raise QueryError("until", text, "nothing_selected")


def _not_label(text: str) -> Label:
    try:
        return read.label(text)
    except QueryError as error:
        raise QueryError(NOT_LABEL, str(error)) from error


def origin_query(selection: Selection) -> Query:
    """A question for the lines of the same containers, services and labels; not for `not_labels`."""
    return Query(
        containers=selection.containers,
        services=selection.services,
        labels=selection.labels,
        container_refs=selection.container_refs,
    )


def selects_origin(selection: Selection, origin: Origin) -> bool:
    """Whether the conditions on who printed a line hold."""
    labels = origin.labels
    if any(key in labels and value in (None, labels[key]) for key, value in selection.not_labels):
        return False
    return matches_origin(origin_query(selection), origin)


def selects(selection: Selection, event: Event) -> bool:
    """Whether the line goes."""
    observed = selection.until is None or event.observed < selection.until
    return observed and selects_origin(selection, event.origin)
