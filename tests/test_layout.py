"""The rules of the house that a reader should be able to rely on without looking."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("parsers", "storage", "ingest", "api")  # each may import itself and those before it
MAX_LINES = 300
MAX_BODY = 40

# A long list is not a long thought: one statement for each metric, one line for each flag.
LISTS = {("storage/metrics.py", "__init__")}

# No socket, clock, file, task or logger: bytes in, values out.
FORBIDDEN_IN_PARSERS = {
    "asyncio", "concurrent", "datetime", "logging", "multiprocessing", "os", "pathlib", "queue",
    "random", "secrets", "selectors", "shutil", "signal", "socket", "socketserver", "ssl",
    "subprocess", "sys", "tempfile", "threading", "time", "uuid", "warnings",
}  # fmt: skip
FORBIDDEN_CALLS_IN_PARSERS = {"open", "print", "input", "exec", "eval", "compile", "__import__"}

FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(tree: ast.AST) -> Iterator[str]:
    """The first part of every imported module, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield (node.module or "").partition(".")[0]


def calls(tree: ast.AST) -> Iterator[str]:
    """Plain names that are called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


def functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every function with the lines of its body, its signature and docstring not counted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_there_is_something_to_look_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_imports_point_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    later = set(ROOMS[ROOMS.index(room) + 1 :]) | {"tests", "bench", "scripts"}
    assert not later.intersection(imports(_tree(path)))


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.relative_to(ROOT).parts[0] == "parsers"], ids=_name
)
def test_parsers_touch_nothing(path: Path) -> None:
    assert not FORBIDDEN_IN_PARSERS.intersection(imports(_tree(path)))
    assert not FORBIDDEN_CALLS_IN_PARSERS.intersection(calls(_tree(path)))


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_files_fit_in_a_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) < MAX_LINES


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_functions_fit_on_a_screen(path: Path) -> None:
    long = [found for found in functions(_tree(path)) if found[1] > MAX_BODY]
    assert [found for found in long if (_name(path), found[0]) not in LISTS] == []


def test_the_rules_can_be_broken() -> None:
    """The helpers see what they are there to see."""
    text = "from api.cli import main\ndef f():\n    '''doc'''\n    import socket\n" + "    open('x')\n" * 50
    tree = ast.parse(text)
    assert set(imports(tree)) == {"api", "socket"}
    assert "open" in set(calls(tree))
    assert list(functions(tree)) == [("f", 51)]
