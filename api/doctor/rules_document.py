"""The file as a text: is it JSON at all, and is it what it seems to be?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from api.doctor import edits
from api.doctor.document import Document, Member, Node, Problem, Replacement, duplicates
from api.doctor.findings import ADVICE, ERROR, WARNING, Finding, Severity
from api.doctor.versions import Version

STRICT = Version(23)  # reads all of the file, skips a byte order mark, takes an empty file

_REFUSED = "dockerd does not start: it cannot read the file"
_UNREAD = "Docker 20.10 does not read on behind the last bracket; from 23 on dockerd does not start"
_FIXES = {
    "json-comment": "remove it; notes can stand in a README beside the file",
    "json-comma": "one comma between two members, none behind the last",
    "json-quote": "write it in plain double quotes",
    "json-escape": "write two backslashes for one, and \\t or \\n for a raw tab or line end",
    "json-blank": "use plain blanks",
    "json-colon": 'write "key": value',
    "json-bracket": "close it",
    "json-trailing-text": "end the file with the closing bracket",
    "json-syntax": "correct it by hand; what was meant cannot be known",
}


def check(document: Document, version: Version) -> Iterator[Finding]:
    """Everything about the text. The rest of the rules read the document as if it were repaired."""
    yield from _byte_order_mark(document, version)
    for problem in document.problems:
        if problem.message:
            yield _broken(document, problem, version)
    if document.root is None:
        yield from _empty(document, version)
    elif document.root.kind not in ("object", "null"):
        yield _finding(
            document,
            document.root.start,
            "json-not-object",
            ERROR,
            f"the file holds {_a(document.root)}, not an object",
            _REFUSED,
            'begin with { "log-driver": ... }',
        )
    else:
        yield from _duplicates(document, document.root, ())


def undecodable(error: UnicodeDecodeError, version: Version) -> Finding:
    """For a file that is no text."""
    severity = ERROR if version >= STRICT else WARNING
    effect = (
        _REFUSED
        if version >= STRICT
        else "Docker 20.10 puts U+FFFD in place of such bytes; 23 refuses the file"
    )
    message = f"byte {error.start} is not {error.encoding.upper()}"
    return Finding("json-encoding", severity, message, effect, "save the file as UTF-8")


def _byte_order_mark(document: Document, version: Version) -> Iterator[Finding]:
    if not document.bom:
        return
    old = version < STRICT
    yield _finding(
        document,
        0,
        "json-bom",
        ERROR if old else ADVICE,
        f"the file begins with a byte order mark ({document.encoding.upper()})",
        _REFUSED if old else "dockerd takes it since 23.0; 20.10 and most other programs do not",
        "save the file as UTF-8 without a byte order mark",
        Replacement(0, 0, ""),
    )


def _broken(document: Document, problem: Problem, version: Version) -> Finding:
    root = document.root
    behind = root is not None and problem.start >= root.end
    unread = behind and version < STRICT
    return _finding(
        document,
        problem.start,
        problem.code,
        WARNING if unread else ERROR,
        problem.message,
        _UNREAD if unread else _REFUSED,
        _FIXES[problem.code],
        problem.repair,
    )


def _empty(document: Document, version: Version) -> Iterator[Finding]:
    if document.broken or version >= STRICT:
        return
    yield _finding(
        document,
        0,
        "json-empty",
        ERROR,
        "the file is empty",
        _REFUSED,
        "write at least {}",
        Replacement(0, len(document.text), "{}\n"),
    )


def _duplicates(document: Document, node: Node, path: tuple[str, ...]) -> Iterator[Finding]:
    for earlier, last in duplicates(node):
        both = earlier.node.kind == last.node.kind == "object"
        line = document.place(last.start)[0]
        merged = f"dockerd merges both; where they disagree, line {line} wins"
        changes = _merged(document, node, earlier, last) if both else edits.remove(document, node, earlier)
        finding = _finding(
            document,
            earlier.start,
            "json-duplicate-key",
            WARNING,
            f"{'.'.join((*path, earlier.key))} is given twice",
            merged if both else f"dockerd silently takes the last one, in line {line}",
            "write it once",
            *changes,
        )
        yield replace(finding, path=(*path, earlier.key))
    for member in node.members:
        if member.node.kind == "object":
            yield from _duplicates(document, member.node, (*path, member.key))


def _merged(document: Document, node: Node, earlier: Member, last: Member) -> tuple[Replacement, ...]:
    """The members that only the earlier object has move into the last one."""
    own = {
        member.key: document.text[member.node.start : member.node.end]
        for member in earlier.node.members
        if last.node.member(member.key) is None
    }
    first = last.node.members[0] if last.node.members else None
    moved = edits.insert(document, last.node, own, before=first) if own else ()
    return (*edits.remove(document, node, earlier), *moved)


def _finding(
    document: Document,
    position: int,
    code: str,
    severity: Severity,
    message: str,
    effect: str,
    fix: str,
    *changes: Replacement | None,
) -> Finding:
    line, column = document.place(position)
    made = tuple(change for change in changes if change is not None)
    return Finding(code, severity, message, effect, fix, (), line, column, made)


def _a(node: Node) -> str:
    return {"array": "an array", "object": "an object"}.get(node.kind, f"a {node.kind}")
