"""daemon.json as a logging set-up: its driver and options, where they stand, and how they are changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from api.doctor import edits
from api.doctor.document import Document, Node, Replacement
from api.doctor.engine import Engine
from api.doctor.setup import DRIVER, LIVE_RESTORE, SECTION, Editor, Place, Setup

DEFAULT_DRIVER = "json-file"  # daemon/config/config.go

Edits = tuple[Replacement, ...]


def setup_of(
    document: Document,
    engine: Engine,
    compose: frozenset[str],
    resolves: Callable[[str], bool | None],
    covered: bool,
) -> Setup:
    """The set-up of a document, which may be empty or not an object: then it is Docker's default."""
    root = document.object
    driver = root.get(DRIVER) if root is not None else None
    live_restore = root.get(LIVE_RESTORE) if root is not None else None
    return Setup(
        str(driver.value)
        if driver is not None and driver.kind == "string" and driver.value
        else DEFAULT_DRIVER,
        _options(root),
        engine,
        _places(document),
        _editor(document),
        compose,
        resolves,
        live_restore is not None and live_restore.value is True,
        covered=covered,
    )


def section(root: Node | None) -> Node | None:
    """log-opts, when it is an object."""
    found = root.get(SECTION) if root is not None else None
    return found if found is not None and found.kind == "object" else None


def _options(root: Node | None) -> dict[str, str]:
    """null is an empty text, as Go has it; a boolean or a number is what it would be in quotes."""
    found = section(root)
    return {
        member.key: _meant(member.node)
        for member in (found.members if found is not None else ())
        if member.node.kind not in ("object", "array")
    }


def _meant(node: Node) -> str:
    if node.kind == "bool":
        return "true" if node.value else "false"
    return str(node.value or "")


def _places(document: Document) -> dict[str, Place]:
    root = document.object
    if root is None:
        return {SECTION: Place((SECTION,))}
    places = {SECTION: Place((SECTION,), *document.place(root.start))}
    for key in (DRIVER, SECTION, LIVE_RESTORE):
        member = root.member(key)
        if member is not None:
            places[key] = Place((key,), *document.place(member.start))
    if DRIVER in places and root.member(SECTION) is None:
        places[SECTION] = replace(places[DRIVER], path=(SECTION,))
    found = section(root)
    for member in found.members if found is not None else ():
        places[member.key] = Place((SECTION, member.key), *document.place(member.start))
    return places


def _editor(document: Document) -> Editor:
    root = document.object
    if root is None:
        return Editor(driver=lambda name, options: _whole(document, name, options))
    return Editor(
        lambda values: _set(document, root, values),
        lambda option: _remove(document, root, option),
        lambda option, name: _rename(root, option, name),
        lambda name, options: _driver(document, root, name, options),
    )


def _quoted(values: Mapping[str, str]) -> dict[str, str]:
    return {key: edits.quoted(value) for key, value in values.items()}


def _set(document: Document, root: Node, values: Mapping[str, str]) -> Edits:
    found = section(root)
    if found is None:
        text = edits.object_text(document, 1, _quoted(values))
        member = root.member(SECTION)
        if member is not None:
            return edits.replace(member.node, text)
        return edits.insert(document, root, {SECTION: text})
    present = {key: node for key in values if (node := found.get(key)) is not None}
    changed = [
        change for key, node in present.items() for change in edits.replace(node, edits.quoted(values[key]))
    ]
    missing = {key: value for key, value in values.items() if key not in present}
    return (*changed, *(edits.insert(document, found, _quoted(missing)) if missing else ()))


def _remove(document: Document, root: Node, option: str) -> Edits:
    found = section(root)
    member = found.member(option) if found is not None else None
    return edits.remove(document, found, member) if found is not None and member is not None else ()


def _rename(root: Node, option: str, name: str) -> Edits:
    found = section(root)
    member = found.member(option) if found is not None else None
    return edits.rename(member, name) if member is not None else ()


def _driver(document: Document, root: Node, name: str, options: Mapping[str, str]) -> Edits:
    """The driver, and options that are not yet there."""
    found, driver = section(root), root.member(DRIVER)
    missing = {key: value for key, value in options.items() if found is None or found.member(key) is None}
    if driver is None and root.member(SECTION) is None:
        text = edits.object_text(document, 1, _quoted(missing))
        return edits.insert(document, root, {DRIVER: edits.quoted(name), SECTION: text})
    changed = (
        edits.replace(driver.node, edits.quoted(name))
        if driver is not None
        else edits.insert(document, root, {DRIVER: edits.quoted(name)}, before=root.member(SECTION))
    )
    return (*changed, *(_set(document, root, missing) if missing else ()))


def _whole(document: Document, name: str, options: Mapping[str, str]) -> Edits:
    """A file where there is none yet."""
    text = edits.object_text(document, 1, _quoted(options))
    made = edits.object_text(document, 0, {DRIVER: edits.quoted(name), SECTION: text})
    return (Replacement(0, len(document.text), made + document.newline),)
