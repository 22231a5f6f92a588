"""--format: Go templates as docker's own commands take them (docker/cli cli/command/formatter/formatter.go).

A template is printed for each container or line. `json` is one JSON object a line. `table TEMPLATE` puts the
names of its columns first and aligns what its tabs part. `\\t` and `\\n` may be written as two characters.
"""

from __future__ import annotations

import difflib
import re
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from api import terminal
from api.cli_common import NO, USAGE, CliError
from api.cli_dots import CONTAINERS, EVENTS, Kind, header
from api.cli_fields import DOCKERS, Item, View
from api.tabwriter import aligned
from parsers.gotemplate import (
    CLI_FUNCTIONS,
    CLI_HEADER_FUNCTIONS,
    Template,
    TemplateError,
    parse,
    render,
)

TABLE, JSON = "table", "json"
WHOLE = "{{json .}}"

# What `table` alone stands for.
TABLES: Final[Mapping[Kind, str]] = {
    CONTAINERS: r"{{.ID}}\t{{.Names}}\t{{.Service}}\t{{.Image}}\t{{.Host}}\t{{.Status}}\t{{.Lines}}",
    EVENTS: r"{{.Timestamp}}\t{{.Container.Name}}\t{{.Stream}}\t{{.Level}}\t{{.Message}}",
}

# What is held so that it can be aligned together; beyond either, a table goes on with columns of new widths.
MAX_ROWS = 10_000
MAX_BYTES = 16 << 20

_ESCAPES = {r"\t": "\t", r"\n": "\n"}
_NO_FIELD = re.compile(r"can't evaluate field (\S+) in type logdock\.(\w+)")
_IN_CELLS = str.maketrans({"\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f"})


class Format:
    """A --format, understood and tried. Raises CliError for one that cannot work."""

    def __init__(self, text: str, kind: Kind) -> None:
        self.is_table = text.startswith(TABLE)
        self._kind = kind
        self._source, self._places = _source(text, TABLES[kind])
        self.is_json = self._source == WHOLE
        if "{{" not in self._source:
            raise CliError(f"--format {text!r} shows nothing: {_TAKEN}", USAGE)
        self._template = self._checked()

    def row(self, item: Item, view: View) -> bytes:
        """What the template prints of one object, without the end of the line.

        Raises CliError for a template that is wrong, TemplateError when only this object does not bear it.
        """
        dot = self._kind.dot(item, view)
        if self.is_json:  # the template's language has limits, JSON has none
            return dot.to_json()
        try:
            return render(self._template, dot, CLI_FUNCTIONS)
        except TemplateError as error:
            if _NO_FIELD.search(error.docker):
                raise CliError(self.problem(error), USAGE) from None
            raise

    def header(self) -> bytes:
        """The first line of a table; empty when the template does not bear names instead of values."""
        for whole_maps in (True, False):
            try:
                return render(self._template, header(self._kind, whole_maps), CLI_HEADER_FUNCTIONS)
            except TemplateError:
                continue  # a range or index may bear the other kind of names
        return b""

    def problem(self, error: TemplateError) -> str:
        """Where in --format, what Go says, and what would be right."""
        place = self._places[min(error.position, len(self._places) - 1)]
        said = f"--format, at character {place + 1}: {error.docker}"
        return terminal.escape("; ".join([said, *_help(error, self._kind)])).replace("\n", "\\n")

    def _checked(self) -> Template:
        """Tried before the server is asked for anything, as docker does."""
        try:
            template = parse(self._source, CLI_FUNCTIONS, "")
        except TemplateError as error:
            raise CliError(self.problem(error), USAGE) from None
        try:
            render(template, self._kind.dot(self._kind.sample, View()), CLI_FUNCTIONS)
        except TemplateError as error:
            if not error.depends_on_values:
                raise CliError(self.problem(error), USAGE) from None
        return template


class Formatted:
    """Prints objects as a Format says, all of them to stdout; a table is printed when it is `close`d."""

    def __init__(self, form: Format, no_trunc: bool = False) -> None:
        self._form = form
        self._no_trunc = no_trunc
        self._rows = [title] if form.is_table and (title := form.header()) else []
        self._held = 0
        self._left_out = 0
        self._notes: set[str] = set()

    def events(self, items: Iterable[Item]) -> None:
        """Print and flush what need not wait."""
        view = View(time.time(), self._no_trunc, self._shown())
        rows = [row for item in items if (row := self._row(item, view)) is not None]
        if not self._form.is_table:
            return _write(rows)
        for row in rows:
            self._rows.append(row)
            self._held += len(row)
            if len(self._rows) >= MAX_ROWS or self._held >= MAX_BYTES:
                self._flush()
        return None

    def separate(self) -> None:
        """A line `--` as grep's, where neither a table nor JSON goes on."""
        if not self._form.is_table and not self._form.is_json:
            _write([b"--"])

    def note(self, text: str, again: bool = False) -> None:
        """Something about the answer, said once unless `again`, on stderr."""
        if again or text not in self._notes:
            self._notes.add(text)
            sys.stderr.write(f"logdock: {terminal.escape(text)}\n")
            sys.stderr.flush()

    def close(self) -> None:
        """Print what is held."""
        self._flush()

    def check(self) -> None:
        """Raises CliError when something was left out."""
        if self._left_out:
            raise CliError(f"left out because the template fails on them: {self._left_out}", NO)

    def _row(self, item: Item, view: View) -> bytes | None:
        try:
            return self._form.row(item, view)
        except TemplateError as error:
            self._left_out += 1
            self.note(self._form.problem(error))
            return None

    def _flush(self) -> None:
        if not self._form.is_table:
            return
        text = b"".join([row + b"\n" for row in self._rows]).decode("utf-8", "surrogateescape")
        _write([aligned(text).removesuffix("\n").encode("utf-8", "surrogateescape")] if text else [])
        self._rows, self._held = [], 0

    def _shown(self) -> Any:
        """A row of a table is one line; a terminal is not steered by what containers print."""
        is_terminal = sys.stdout.isatty()
        if self._form.is_table:
            return lambda text: (terminal.escape(text) if is_terminal else text).translate(_IN_CELLS)
        return terminal.escape if is_terminal else str


_TAKEN = "it is a Go template such as '{{.Message}}', `json`, or `table` and a template"


def _source(text: str, default_table: str) -> tuple[str, list[int]]:
    """The template that Go sees, and for each of its characters the one of `text` that it stands for."""
    if text == JSON:
        return WHOLE, [0]
    start = len(TABLE) if text.startswith(TABLE) else 0
    if text == TABLE:
        text, start = default_table, 0
    source, places = "", list[int]()
    for match in re.finditer(r"\\[tn]|.", text[start:].rstrip(" "), re.DOTALL):
        if not source and match[0] == " ":
            continue
        source += _ESCAPES.get(match[0], match[0])
        places.append(start + match.start())
    return source, [*places, len(text)]


def _help(error: TemplateError, kind: Kind) -> list[str]:
    """For a name that does not exist: what may have been meant, and what does."""
    match = _NO_FIELD.search(error.docker)
    if match is None:
        return []
    name = match[1]
    of = next(k for k in (kind, *kind.parts.values()) if k.go_type.name == f"logdock.{match[2]}")
    known = f"there is {' '.join(f'.{one}' for one in of.own_names or of.names)}"
    if of.own_names:
        known += ", and every key of the REST object"
    if kind is CONTAINERS and name in DOCKERS:
        nearest = DOCKERS[name]
        unknown = [f"log lines do not tell docker's .{name}"]
    else:
        nearest = next(iter(difflib.get_close_matches(name, of.names, 1)), None)
        unknown = []
    return [*unknown, *([f"did you mean .{nearest}?"] if nearest else []), known]


def _write(rows: Iterable[bytes]) -> None:
    data = b"".join([row + b"\n" for row in rows])
    if data:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
