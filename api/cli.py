"""The `logdock` command: finds the subcommand, and turns every error into one line and an exit code.

Exit codes: 0 fine, 1 the answer is no, 2 wrong usage, 130 interrupted. Only the module of the command that
is asked for is imported: an asking command must not wait for the server's libraries to load.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from api import terminal
from api.cli_common import CliError

# name of a command -> the module whose `register(app)` adds it
COMMANDS = {
    "serve": "api.cli_serve",
    "logs": "api.cli_logs",
    "ps": "api.cli_ps",
    "export": "api.cli_export",
    "histogram": "api.cli_histogram",
    "emit": "api.cli_emit",
    "tag": "api.cli_tag",
    "prune": "api.cli_prune",
    "doctor": "api.cli_doctor",
    "quarantine": "api.cli_quarantine",
    "completion": "api.cli_completion",
}

COMPLETE = "__complete"  # what the scripts of `logdock completion` ask
INTERRUPTED = 130  # 128 + SIGINT, as shells count
_OUTPUT_REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # what `> file` can meet

# typer.BadParameter < UsageError < ClickException: what the parser of the command line raises. Its module
# has moved between versions of typer, its place in this line has not.
_PARSE_ERROR: type[BaseException] = typer.BadParameter.__mro__[2]


def main() -> None:
    """The entry point of the distribution."""
    if sys.stdout is None:  # the shell's >&-
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - until the end
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code."""
    if arguments[:1] == [COMPLETE]:
        return _complete(arguments[1:])
    try:
        result = build(arguments)(
            args=list(arguments) or ["--help"], prog_name="logdock", standalone_mode=False
        )
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except CliError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):  # the latter is what typer makes of the former, and only of it
        return _reader_gone()
    except OSError as error:
        if error.errno not in _OUTPUT_REFUSED:
            raise
        _reader_gone()
        return _fail(f"cannot write the answer: {error.strerror}", 1)
    except _PARSE_ERROR as error:
        return _fail(_usage(error), 2)


def build(arguments: Sequence[str]) -> typer.Typer:
    """The application with the command that `arguments` name, or with all of them."""
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    named = [name for name in arguments[:1] if name in COMMANDS]
    for name in named or COMMANDS:
        importlib.import_module(COMMANDS[name]).register(app)
    return app


def _complete(arguments: Sequence[str]) -> int:
    """At a TAB: candidates or nothing, never a message."""
    from api.cli_completion import complete, split

    with contextlib.suppress(Exception, KeyboardInterrupt):
        line = " ".join(arguments)
        root = typer.main.get_command(build(split(line)[0][1:]))
        print("\n".join(complete(line, root)))
    return 0


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"logdock {version('logdock')}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """The log server a Docker host is pointed at: ask it by container, service and label."""


def _usage(error: BaseException) -> str:
    format_message = getattr(error, "format_message", None)
    text = str(format_message()) if format_message else str(error)
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "logdock"
    return f"{' '.join(text.split()).rstrip('.')}; {command} --help says what is possible"


def _fail(text: str, code: int) -> int:
    with contextlib.suppress(BrokenPipeError):
        print(f"logdock: {terminal.one_line(text)}", file=sys.stderr, flush=True)
    return code


def _reader_gone() -> int:
    """`logdock logs web | head`: the reader has enough. Python must not complain about it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return 0
