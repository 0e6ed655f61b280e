"""``dsmtc configure``: with which values an application is started."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dsmt_core.configuration import BYTES
from dsmt_core.errors import Full, Invalid
from dsmtc.commands.applications import named
from dsmtc.dispatch import session_of
from dsmtc.looking import CheckIndex, DryRun, look_ahead
from dsmtc.pace import Deadline, Errors, Follow, MinHealthy, Need, Timeout, Waves, chosen, limit, sizes
from dsmtc.parameters import read_parameters
from dsmtc.rendering.configurations import configured
from dsmtc.rolling import follow as follow_to_its_end

app = typer.Typer(add_completion=False, rich_markup_mode=None)
# What is longer holds comments, or is refused by the planner.
FILE_BYTES: Final = 8 * BYTES


@app.command()
def configure(  # noqa: PLR0913 - each is an option of the command line
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="[APPLICATION] [NAME=VALUE]...")] = None,
    *,
    unset: Annotated[list[str] | None, typer.Option(metavar="NAME", help="may be repeated")] = None,
    secret: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="name a secret; may be repeated")
    ] = None,
    template: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=@FILE", help="a file that each node renders; may be repeated"),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="JSON or TOML: all that is set, and nothing else")
    ] = None,
    version: Annotated[str, typer.Option(help="together with this version; else it stays")] = "",
    waves: Waves = "",
    min_healthy: MinHealthy = "",
    deadline: Deadline = "",
    errors: Errors = "",
    need: Need = "",
    dry_run: DryRun = False,
    check_index: CheckIndex = "",
    follow: Follow = False,
    timeout: Timeout = "",
) -> None:
    """Roll other values out with which an application is started; alone it shows them.

    Example: dsmtc configure pinger greeting=hello --unset level --waves 1,100% --follow
    """
    session = session_of(context)
    application, values = _parted(words or [])
    which = named(session, application)
    if not (values or unset or secret or template or file or version or dry_run):
        shown = session.client.configuration(session.slice, which)
        session.out.answer(shown, lambda: configured(shown))
        return
    wish: dict[str, object] = {
        "values": ({} if file is None else read_file(file)) | read_parameters(values),
        "unset": unset or [],
        # A planner of before does not know of secrets or templates.
        **({"secrets": secret} if secret else {}),
        **({"templates": read_parameters(template)} if template else {}),
        "whole": file is not None,
        "version": version,
        "waves": sizes(waves),
        **chosen(min_healthy, deadline, errors, need),
    }
    if dry_run:
        foreseen = session.client.foresee_configuration(session.slice, which, wish)
        look_ahead(session, foreseen, check_index)
    begun = session.client.configure(session.slice, which, {**wish, "check_index": check_index})
    if follow and begun["rollout"] is not None:
        follow_to_its_end(session, which, timeout_s=limit(timeout))
    else:
        session.out.answer(begun, lambda: configured(begun))


def _parted(words: list[str]) -> tuple[str, list[str]]:
    """The application, empty when none is named, and the words that set values."""
    return (words[0], words[1:]) if words and "=" not in words[0] else ("", words)


def read_file(path: Path) -> dict[str, str]:
    """The values in a file: a JSON object or a TOML table; numbers and truth values as they are written.

    Raises:
        Invalid: it cannot be read, or holds anything but names with plain values.
        Full: it is too long.
    """
    try:
        with path.open("rb") as opened:
            content = opened.read(FILE_BYTES + 1)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > FILE_BYTES:
        raise Full(f"{path} is longer than {FILE_BYTES} bytes", hint=f"a configuration has at most {BYTES}")
    try:
        text = content.decode("utf-8-sig")
        read = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (ValueError, RecursionError) as error:
        kind = "TOML" if path.suffix == ".toml" else "JSON"
        raise Invalid(
            f"{path} is not {kind}: {error}", hint="TOML is told by the name: FILE.toml"
        ) from error
    if not isinstance(read, dict):
        raise Invalid(f"{path} holds no names with values", hint='such as {"greeting": "hello"}')
    return {name: _text(name, value) for name, value in read.items()}


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise Invalid(f"the value of {name[:40]!r} is neither a text nor a number", hint="values are plain")
