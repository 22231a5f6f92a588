"""`logdock completion bash|zsh`: a script for the shell, which asks `logdock __complete LINE` at each TAB.

What `__complete` prints is a directive (`-`, `files`: file names fit here, `nospace`: the word goes on), the
word that is completed, and one candidate a line. Nothing of a candidate is ever evaluated by the shell: the
names are what strangers chose. Whatever goes wrong, a server that is away included, is no candidate and no
message.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_common import DEFAULT_SERVER, Output
from api.cli_context import Scope

if TYPE_CHECKING:
    from api.client import Client

SECONDS = 1.0  # for the server's answer: whoever pressed TAB waits
MOST = 500  # candidates: more than anybody reads
LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")  # parsers.event.LEVELS, which costs imports
STREAMS = ("stdout", "stderr")
FILES = {("doctor", ""), ("doctor", "--compose"), ("serve", "--data"), ("serve", "--daemon-json")}

BASH = r"""
# Bash cuts words at = and : too, and puts in only what comes after the cut. A word with quotes or
# backslashes in it is left alone.
_logdock() {
    local line=${COMP_LINE:0:COMP_POINT} cut=${COMP_WORDS[COMP_CWORD]} word directive understood candidate
    [[ $cut == [=:] ]] && cut=
    word=${line##*[[:space:]]}
    COMPREPLY=()
    {
        IFS= read -r directive
        IFS= read -r understood
        [[ $understood == "$word" ]] && while IFS= read -r candidate; do
            printf -v candidate %q "${candidate#"${word%"$cut"}"}"
            COMPREPLY+=("$candidate")
        done
    } < <(logdock __complete "$line" 2>/dev/null)
    case $directive in
        files) compopt -o default 2>/dev/null ;;
        nospace) compopt -o nospace 2>/dev/null ;;
    esac
    return 0
}
complete -F _logdock logdock
"""

ZSH = r"""
#compdef logdock
_logdock() {
    local -a found
    local directive
    found=("${(@f)$(logdock __complete "${(j: :)words[1,CURRENT]}" 2>/dev/null)}")
    directive=$found[1]
    shift $(( $#found < 2 ? $#found : 2 )) found
    case $directive in
        files) _files ;;
        nospace) compadd -S '' -a found ;;
        *) compadd -a found ;;
    esac
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u }
compdef _logdock logdock
"""


class Shell(StrEnum):
    """Those that a script is here for."""

    bash = "bash"
    zsh = "zsh"


def register(app: typer.Typer) -> None:
    app.command("completion")(completion)


def completion(shell: Annotated[Shell, typer.Argument(help="bash or zsh")]) -> None:
    """Print what makes a shell complete commands, options and the names of containers, services, labels."""
    print((BASH if shell is Shell.bash else ZSH).strip())


def complete(line: str, root: Any) -> list[str]:
    """The lines that `__complete` prints for a command line up to the cursor."""
    words, word = split(line)
    directive, *candidates = _candidates(root, words[1:], word)
    return [directive, word, *candidates]


def _candidates(root: Any, words: Sequence[str], word: str) -> list[str]:
    """The directive, and what the last word may become."""
    command, path, rest = _command(root, words)
    subcommands = getattr(command, "commands", None)
    if subcommands is not None and not word.startswith("-"):
        return ["-", *_beginning(word, [] if rest else subcommands)]
    option, given = _open_option(command, rest)
    if option is None and word.startswith("--") and "=" in word:
        name, _, start = word.partition("=")
        directive, *values = _values(_named(command, name), path, start, given)
        return [directive, *(f"{name}={value}" for value in values)]
    if option is None and word.startswith("-"):
        names = [name for parameter in command.params for name in parameter.opts if name[:1] == "-"]
        return ["-", *_beginning(word, names)]
    parameter = option or next((p for p in command.params if p.param_type_name == "argument"), None)
    return _values(parameter, path, word, given)


def split(line: str) -> tuple[list[str], str]:
    """The words before the last one, and that, without its quotes. The last may be empty or not ended."""
    for closing in ("", "'", '"', "\\"):  # a quote that is still open, and a last backslash
        try:
            words = shlex.split(f"{line}{closing}")
            break
        except ValueError:
            continue
    else:
        words = line.split()
    ended = not closing and re.search(r"(?<!\\)\s$", line) is not None
    return (words, "") if ended or not words else (words[:-1], words[-1])


def _command(root: Any, words: Sequence[str]) -> tuple[Any, str, Sequence[str]]:
    """The command that `words` lead to, its name, and the words that are left."""
    command, path = root, ""
    while words and (inner := getattr(command, "commands", {}).get(words[0])) is not None:
        command, path, words = inner, path or words[0], words[1:]
    return command, path, words


def _named(command: Any, name: str) -> Any:
    return next((parameter for parameter in command.params if name in parameter.opts), None)


def _open_option(command: Any, words: Sequence[str]) -> tuple[Any, dict[str, list[str]]]:
    """The option whose value comes next, and what was given so far."""
    option, given = None, dict[str, list[str]]()
    for word in words:
        if option is not None:
            given.setdefault(option.opts[0], []).append(word)
            option = None
            continue
        name, equals, value = word.partition("=")
        found = _named(command, name) if word.startswith("-") else None
        if found is not None and equals:
            given.setdefault(found.opts[0], []).append(value)
        elif found is not None and not getattr(found, "is_flag", False):
            option = found
    return option, given


def _values(parameter: Any, path: str, start: str, given: Mapping[str, Sequence[str]]) -> list[str]:
    """The directive and the values of one option or argument that begin so."""
    if parameter is None:
        return ["-"]
    is_option = parameter.param_type_name == "option"
    name = next((name for name in parameter.opts if name.startswith("--")), "") if is_option else ""
    if (path, name) in FILES:
        return ["files"]
    fixed = _FIXED.get(name or f"{path} {parameter.name}")
    if fixed is not None:
        return ["-", *_beginning(start, fixed)]
    ask = _ASKED.get(name) if name else (_names if path == "logs" else None)
    if ask is None:
        return ["-"]
    server = next(iter(given.get("--server", ())), os.environ.get("LOGDOCK_SERVER") or DEFAULT_SERVER)
    found = _beginning(start, _answer(server, ask, start))
    return ["nospace" if found and all(value.endswith("=") for value in found) else "-", *found]


def _answer(server: str, ask: Callable[[Client, str], Iterable[str]], start: str) -> list[str]:
    from api.client import Client

    with Client(server, seconds=SECONDS) as client:
        return list(ask(client, start))


def _beginning(start: str, values: Iterable[str]) -> list[str]:
    """Those that begin so, each once, without what no line of a shell can hold."""
    fitting = [value for value in dict.fromkeys(values) if value.startswith(start) and value.isprintable()]
    return fitting[:MOST]


def _of(path: str, key: str = "name") -> Callable[[Client, str], Iterable[str]]:
    return lambda client, _start: [item[key] for item in client.get(path)["items"] if item[key]]


def _containers(client: Client, start: str) -> Iterable[str]:
    """Names; and ids for whoever has begun to type one."""
    items = client.get("/containers")["items"]
    yield from (item["name"] for item in items if item["name"])
    if start:
        yield from (item["id"] for item in items if item["id"])


def _names(client: Client, start: str) -> Iterable[str]:
    yield from _of("/services")(client, start)
    yield from _containers(client, start)


def _labels(client: Client, start: str) -> Iterable[str]:
    """Keys; after the `=` the values of that key."""
    from api.client import part

    key, equals, _ = start.partition("=")
    if not equals:
        return [f"{name}=" for name in _of("/labels")(client, start)]
    return [f"{key}={value}" for value in _of(f"/labels/{part(key)}")(client, start)]


_FIXED: dict[str, Sequence[str]] = {
    "completion shell": list(Shell),
    "--level": LEVELS,
    "--output": list(Output),
    "--scope": list(Scope),
    "--stream": STREAMS,
}
_ASKED: dict[str, Callable[[Client, str], Iterable[str]]] = {
    "--container": _containers,
    "--service": _of("/services"),
    "--label": _labels,
    "--host": _of("/containers", "host"),
}
