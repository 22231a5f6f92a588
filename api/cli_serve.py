"""`logdock serve`: its flags are made from the settings, so each is named and explained in one place."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo

from api.address import Address
from api.cli_common import USAGE, CliError
from api.settings import Settings, SettingsError, flag, load_settings

REPEATABLE = frozenset({"forward", "gelf_udp", "gelf_tcp", "tag_template"})

_EPILOG = (
    "Every flag is also LOGDOCK_<FLAG> in the environment; several values are separated by commas there."
)


def register(app: typer.Typer) -> None:
    app.command("serve", epilog=_EPILOG)(_with_flags())


def _with_flags() -> Any:
    """The command function with one keyword parameter for each setting, as typer reads them."""

    def serve(**flags: Any) -> int:
        """Take lines in and answer questions, until SIGTERM or Ctrl-C."""
        return _serve(flags)

    parameters = [_parameter(name, field) for name, field in Settings.model_fields.items()]
    serve.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    serve.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return serve


def _serve(flags: dict[str, Any]) -> int:
    given = {name: value for name, value in flags.items() if value not in (None, [], False)}
    try:
        settings = load_settings(**given)
    except SettingsError as error:
        raise CliError(str(error), USAGE) from None
    from api.serve import run

    return run(settings)


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    text = (field.description or "").replace("[", "\\[")  # a bracket would be read as markup
    if field.annotation is bool:
        kind, option = bool, typer.Option(flag(name), help=text)
        return _keyword(name, Annotated[kind, option], False)
    option = typer.Option(flag(name), help=text, metavar="TEXT", show_default=shown_default(name, field))
    shape = list[str] | None if name in REPEATABLE else str | None
    return _keyword(name, Annotated[shape, option], None)


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def shown_default(name: str, field: FieldInfo) -> str:
    """A setting's default as it would be written on the command line."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "shown" in extra:
        return str(extra["shown"])
    if field.default_factory is not None:
        return f"the machine's {name}"
    if field.default is None:
        return "none"
    if isinstance(field.default, tuple):
        return ", ".join(str(item) for item in field.default)
    if isinstance(field.default, Address):
        return str(field.default)
    return str(field.default)
