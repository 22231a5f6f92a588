"""Changes of single places in a document's text. Everything else stays as its author wrote it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from api.doctor.document import Document, Member, Node, Replacement

Edits = tuple[Replacement, ...]

_INDENT = "  "  # of a file that shows none of its own


def quoted(text: str) -> str:
    """A JSON string; what is not ASCII stays readable."""
    return json.dumps(text, ensure_ascii=False)


def replace(node: Node, text: str) -> Edits:
    """Another value."""
    return (Replacement(node.start, node.end, text),)


def rename(member: Member, key: str) -> Edits:
    return (Replacement(member.start, member.key_end, quoted(key)),)


def remove(document: Document, parent: Node, member: Member) -> Edits:
    """A member with its comma, and with its line when it is alone there."""
    text, index = document.text, parent.index(member)
    if index + 1 < len(parent.members):
        return (Replacement(member.start, parent.members[index + 1].start, ""),)
    if index:
        return (Replacement(parent.members[index - 1].end, member.end, ""),)
    inner = text[parent.start + 1 : parent.end - 1]
    return (Replacement(parent.start + 1, parent.start + 1 + len(inner), ""),)


def insert(
    document: Document, parent: Node, values: Mapping[str, str], before: Member | None = None
) -> Edits:
    """New members, their values as JSON text: in front of `before`, else behind the last."""
    pairs = [f"{quoted(key)}{_colon(document, parent)}{value}" for key, value in values.items()]
    separator = _separator(document, parent)
    if before is not None:
        return (Replacement(before.start, before.start, "".join(f"{pair},{separator}" for pair in pairs)),)
    if parent.members:
        end = parent.members[-1].end
        return (Replacement(end, end, "".join(f",{separator}{pair}" for pair in pairs)),)
    closing = separator[: -len(_indent(document))] if "\n" in separator else ""
    opening = separator if "\n" in separator else ""
    text = "{" + opening + f",{separator}".join(pairs) + closing + "}"
    return (Replacement(parent.start, parent.end, text),)


def substitute(document: Document, parent: Node, member: Member, values: Mapping[str, str]) -> Edits:
    """Other members in place of one."""
    colon, separator = _colon(document, parent), _separator(document, parent)
    text = f",{separator}".join(f"{quoted(key)}{colon}{value}" for key, value in values.items())
    return (Replacement(member.start, member.end, text),)


def object_text(document: Document, depth: int, values: Mapping[str, str]) -> str:
    """A new object, written as the document writes its own; `depth` is that of its parent."""
    pairs = [f"{quoted(key)}{_colon(document, None)}{value}" for key, value in values.items()]
    if not _many_lines(document):
        return "{" + (", " if _colon(document, None).endswith(" ") else ",").join(pairs) + "}"
    unit, newline = _indent(document), document.newline
    lines = f",{newline}".join(unit * (depth + 1) + pair for pair in pairs)
    return "{" + newline + lines + newline + unit * depth + "}"


def _separator(document: Document, parent: Node) -> str:
    """What stands between a comma and the next member of this object."""
    text = document.text
    if not parent.members:
        if not _many_lines(document):
            return " " if _colon(document, parent).endswith(" ") else ""
        line = text[: parent.start].rpartition("\n")[2]
        return document.newline + _leading(line) + _indent(document)
    before = text[parent.start + 1 : parent.members[0].start]
    if "\n" in before:
        return document.newline + before.rpartition("\n")[2]
    if len(parent.members) > 1:
        between = text[parent.members[0].end : parent.members[1].start]
        return between.partition(",")[2]
    return " " if _colon(document, parent).endswith(" ") else ""


def _colon(document: Document, parent: Node | None) -> str:
    """`: `, or what the first member here has between key and value."""
    known = parent.members if parent is not None and parent.members else _root_members(document)
    return document.text[known[0].key_end : known[0].node.start] if known else ": "


def _indent(document: Document) -> str:
    """One step of indentation: that of the root's first member."""
    for member in _root_members(document)[:1]:
        line = document.text[: member.start].rpartition("\n")[2]
        if line and not line.strip() and "\n" in document.text[: member.start]:
            return line
    return _INDENT


def _root_members(document: Document) -> tuple[Member, ...]:
    return document.object.members if document.object is not None else ()


def _many_lines(document: Document) -> bool:
    """An object with nothing in it shows no style: then it is written over several lines."""
    members = _root_members(document)
    return (
        not members or "\n" in document.text[: members[0].start].strip(" \t") or "\n" in document.text.strip()
    )


def _leading(line: str) -> str:
    found = re.match(r"[ \t]*", line)
    return found[0] if found else ""
