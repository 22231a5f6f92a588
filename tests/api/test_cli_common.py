import inspect

import typer

from api.cli_common import Params, Server, filtered, query_params


def test_flags_become_parameters() -> None:
    assert query_params(
        service=["a", "b"], label=["k=v"], level=["error"], grep="x y", host=["h"], stream="stderr", tag="t*",
        since="2026-11-24T00:00Z", until="5m",
    ) == {
        "service": ["a", "b"], "label": ["k=v"], "level": ["error"], "q": "x y", "host": ["h"],
        "stream": "stderr", "tag": "t*", "since": "2026-11-24T00:00:00Z", "until": "5m",
    }  # fmt: skip


def test_what_is_not_given_is_left_out() -> None:
    assert query_params(service=[], grep=None, since="") == {}


def test_a_command_gets_the_flags_of_a_question() -> None:
    got: list[tuple[str, Params]] = []

    def command(server: Server = "here", *, params: Params) -> None:
        """Say so."""
        got.append((server, params))

    made = filtered(command)
    assert made.__doc__ == "Say so."
    assert "params" not in inspect.signature(made).parameters
    app = typer.Typer()
    app.command()(made)
    app(["--service", "a", "--service", "b", "-q", "x", "--server", "s"], standalone_mode=False)
    app([], standalone_mode=False)
    assert got == [("s", {"service": ["a", "b"], "q": "x"}), ("here", {})]
