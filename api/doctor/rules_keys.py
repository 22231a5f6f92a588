"""The keys of daemon.json: does this dockerd know them, and do their values have the right kind?"""

from __future__ import annotations

from collections.abc import Iterator

from api.doctor import edits, keys
from api.doctor.document import Document, Member, Node, Replacement
from api.doctor.findings import ERROR, WARNING, Finding, Severity
from api.doctor.options import BUILT_IN, OURS, owner
from api.doctor.suggest import meant
from api.doctor.versions import Version

_KINDS = {"text": "string", "bool": "bool", "list": "array", "object": "object", "number": "number"}
_NAMES = {"text": "a string", "bool": "true or false", "list": "a list", "object": "an object",
          "number": "a whole number", "size": "a number of bytes or a string such as 64M"}  # fmt: skip
_UNKNOWN = "dockerd does not start: the following directives don't match any configuration option: {}"
_UNMARSHAL = "dockerd does not start: json: cannot unmarshal {} into Go struct field {}"
_LIFTED = {"driver": "log-driver", "options": "log-opts", "log-driver": "log-driver", "log-opts": "log-opts"}

Edits = tuple[Replacement, ...]


def check(document: Document, version: Version) -> Iterator[Finding]:
    root = document.object
    for member in root.members if root is not None else ():
        if root is not None and root.member(member.key) is member:
            yield from _key(document, root, member, version)


def _key(document: Document, root: Node, member: Member, version: Version) -> Iterator[Finding]:
    key = member.key
    if keys.known(key, version):
        yield from _kind(document, member)
    elif member.node.kind == "object" and key not in keys.FLAT:
        yield _nested(document, root, member, version)
    elif keys.ignored(key, version):
        yield _ignored(document, root, member)
    elif key in keys.KEYS:
        yield _other_version(document, root, member, version)
    else:
        yield _unknown(document, root, member, version)


def _ignored(document: Document, root: Node, member: Member) -> Finding:
    name = keys.FLAG_NAMES.get(member.key)
    return _finding(
        document,
        member,
        "key-ignored",
        WARNING,
        f"{member.key} is a flag of dockerd, not a key of this file",
        "dockerd starts, and ignores it without a word",
        f'the file calls it "{name}"' if name else "remove it",
        _renamed(document, root, member, name),
    )


def _nested(document: Document, root: Node, member: Member, version: Version) -> Finding:
    """dockerd looks at the keys inside an object whose own name it does not know."""
    strange = [m.key for m in member.node.members if not _taken(m.key, version)]
    lifted = _lift(document, root, member)
    return _finding(
        document,
        member,
        "key-unknown" if strange else "key-ignored",
        ERROR if strange else WARNING,
        f"dockerd knows no {member.key}, and looks at the keys inside it instead",
        _UNKNOWN.format(", ".join(strange))
        if strange
        else "dockerd starts, and ignores all of it without a word",
        "write log-driver and log-opts at the top of the file" if lifted else "remove it",
        lifted or edits.remove(document, root, member),
    )


def _taken(key: str, version: Version) -> bool:
    return keys.known(key, version) or keys.ignored(key, version)


def _lift(document: Document, root: Node, member: Member) -> Edits:
    """`"logging": {"driver": ..., "options": ...}`, as compose has it, becomes two keys of the file."""
    inner = {_LIFTED.get(m.key, ""): m.node for m in member.node.members}
    if not inner or "" in inner or any(root.member(key) for key in inner):
        return ()
    values = {key: document.text[node.start : node.end] for key, node in inner.items()}
    return edits.substitute(document, root, member, values)


def _other_version(document: Document, root: Node, member: Member, version: Version) -> Finding:
    since, until = keys.SINCE.get(member.key), keys.UNTIL.get(member.key)
    when = f"exists since {since}" if since is not None and version < since else f"was removed in {until}"
    name = keys.SUCCESSORS.get(member.key)
    return _finding(
        document,
        member,
        "key-version",
        ERROR,
        f"{member.key} {when}",
        _UNKNOWN.format(member.key),
        f'use "{name}"' if name else "remove it",
        _renamed(document, root, member, name),
    )


def _unknown(document: Document, root: Node, member: Member, version: Version) -> Finding:
    if _is_option(member.key):
        return _finding(
            document,
            member,
            "key-unknown",
            ERROR,
            f"{member.key} is an option of a log driver, not a key of the file",
            _UNKNOWN.format(member.key),
            "write it inside log-opts",
            _moved(document, root, member),
        )
    name = meant(member.key, keys.all_keys(version))
    return _finding(
        document,
        member,
        "key-unknown",
        ERROR,
        f"dockerd knows no {member.key}",
        _UNKNOWN.format(member.key),
        f'did you mean "{name}"?' if name else "remove it",
        _renamed(document, root, member, name),
    )


def _is_option(key: str) -> bool:
    return key in BUILT_IN or any(key in table for table in OURS.values()) or owner(key, "") is not None


def _moved(document: Document, root: Node, member: Member) -> Edits:
    section = root.get("log-opts")
    value = document.text[member.node.start : member.node.end]
    if section is None:
        made = edits.object_text(document, 1, {member.key: value})
        return edits.substitute(document, root, member, {"log-opts": made})
    if section.kind != "object" or section.member(member.key) is not None:
        return edits.remove(document, root, member)
    inserted = edits.insert(document, section, {member.key: value})
    return (*inserted, *edits.remove(document, root, member))


def _renamed(document: Document, root: Node, member: Member, name: str | None) -> Edits:
    """The right name, unless it is taken: then the wrong one goes."""
    if name is None or root.member(name) is not None:
        return edits.remove(document, root, member)
    return edits.rename(member, name)


def _kind(document: Document, member: Member) -> Iterator[Finding]:
    wanted, node = keys.KEYS[member.key], member.node
    if node.kind == "null" or _fits(wanted, node):
        if wanted == "list" and member.key != "default-address-pools":
            yield from _items(document, member)
        return
    better = _converted(document, member, wanted)
    yield _finding(
        document,
        member,
        "key-type",
        ERROR,
        f"{member.key} must be {_NAMES[wanted]}",
        _UNMARSHAL.format(_go(node), member.key),
        f"write {better}" if better else f"give it {_NAMES[wanted]}",
        edits.replace(node, better) if better else (),
    )


def _fits(wanted: str, node: Node) -> bool:
    if wanted == "size":
        return node.kind in ("string", "number")
    if node.kind != _KINDS[wanted]:
        return False
    return node.kind != "number" or str(node.value).lstrip("-").isdigit()


def _items(document: Document, member: Member) -> Iterator[Finding]:
    for item in member.node.items:
        if item.kind not in ("string", "null"):
            text = document.text[item.start : item.end]
            better = edits.quoted(text) if item.kind in ("number", "bool") else ""
            yield _finding(
                document,
                member,
                "key-type",
                ERROR,
                f"{member.key} must be a list of strings",
                _UNMARSHAL.format(_go(item), member.key),
                f"write {better}" if better else "give it strings",
                edits.replace(item, better) if better else (),
            )


def _converted(document: Document, member: Member, wanted: str) -> str:
    """The same value in the right kind, where that is clear; else ''."""
    node, text = member.node, document.text[member.node.start : member.node.end]
    said = str(node.value).strip() if node.kind == "string" else text
    if wanted == "bool" and said.lower() in ("true", "false", "1", "0"):
        return "true" if said.lower() in ("true", "1") else "false"
    if wanted == "number" and said.removesuffix(".0").lstrip("-").isdigit():
        return str(int(said.removesuffix(".0")))
    if wanted == "text" and node.kind in ("number", "bool"):
        return edits.quoted(text)
    if wanted == "list" and node.kind in ("string", "number"):
        return f"[{edits.quoted(said)}]"
    if member.key == "log-opts":
        return _pairs(document, node)
    return ""


def _pairs(document: Document, node: Node) -> str:
    """`["a=b"]` and `"a=b"`, as `--log-opt` has them, as an object."""
    texts = [str(item.value) for item in node.items] if node.kind == "array" else [str(node.value)]
    pairs = [text.partition("=") for text in texts]
    if node.kind not in ("array", "string") or not all(key and sign for key, sign, _ in pairs):
        return "{}" if node.kind != "object" else ""
    return edits.object_text(document, 1, {key: edits.quoted(value) for key, _, value in pairs})


def _go(node: Node) -> str:
    """What encoding/json calls it."""
    return "number" if node.kind == "number" else node.kind


def _finding(
    document: Document,
    member: Member,
    code: str,
    severity: Severity,
    message: str,
    effect: str,
    fix: str,
    changes: Edits,
) -> Finding:
    line, column = document.place(member.start)
    return Finding(code, severity, message, effect, fix, (member.key,), line, column, changes)
