"""``dsmtc publish``: say something on PsEPR, in the name of the account."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from dsmt_core.errors import Full, Invalid
from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)
# Above the limit of an event; whoever pipes more is told so before it is read to its end.
_MOST: Final = 1 << 20


@app.command()
def publish(  # noqa: PLR0913 - an event's fields are its options
    context: typer.Context,
    pairs: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE…", help="the pairs")] = None,
    *,
    channel: Annotated[str, typer.Option(help="where, such as /com/example/pinger/")] = "",
    field: Annotated[str, typer.Option(help="the attribute's name")] = "",
    value: Annotated[str, typer.Option(help="its value as text")] = "",
    payload: Annotated[str, typer.Option("--type", help="the payload's type, else attribute")] = "",
    service: Annotated[str, typer.Option(help="in the name of this service, else the account")] = "",
    to_service: Annotated[str, typer.Option(help="only for this service")] = "",
    to_instance: Annotated[str, typer.Option(help="only for this copy of it")] = "",
    emit_rate: Annotated[float | None, typer.Option(help="seconds until it is said again")] = None,
    expiry: Annotated[float | None, typer.Option(help="seconds that the value holds (90)")] = None,
    ttl: Annotated[float | None, typer.Option(help="seconds that it may be under way (60)")] = None,
    xml: Annotated[str, typer.Option(metavar="FILE", help="an event of PsEPR XML; - is stdin")] = "",
) -> None:
    """Publish one event; its instance names your account.

    Example: dsmtc publish --channel /com/example/pinger/ --field round-trip ms=7.2 to=n2.example.org
    """
    session = session_of(context)
    said: dict[str, object] = {
        "channel": channel,
        "field": field,
        "value": value,
        "pairs": _pairs(pairs or []),
        "payload": payload,
        "service": service,
        "to_service": to_service,
        "to_instance": to_instance,
        "emit_rate": emit_rate,
        "expiry": expiry,
        "ttl": ttl,
    }
    said = {name: given for name, given in said.items() if given is not None and given not in ("", {})}
    if xml and said:
        raise Misused(f"--xml has the whole event, so --{next(iter(said))} has no place", hint="use either")
    if not xml and not (channel and field):
        raise Misused(
            "an event needs --channel and --field, or --xml FILE",
            hint="dsmtc publish --help has an example",
        )
    sent = session.client.publish({"xml": _document(xml)} if xml else said)
    session.out.answer(sent, lambda: [f"published {sent['field'] or sent['payload']} on {sent['channel']}"])


def _pairs(words: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise Misused(
                f"{word[:60]!r} is not NAME=VALUE", hint="text without a name is given by --value"
            )
        if name in pairs:
            raise Misused(f"{name[:60]!r} is given twice", hint="a name has one value")
        pairs[name] = text
    return pairs


def _document(name: str) -> str:
    try:
        if name == "-":
            raw = sys.stdin.read(_MOST + 1)
        else:
            with Path(name).open(encoding="utf-8") as file:
                raw = file.read(_MOST + 1)
    except OSError as error:
        raise Invalid(f"{name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{name} is not UTF-8", hint="PsEPR XML is written in UTF-8") from error
    if len(raw) > _MOST:
        raise Full(f"{name} is longer than an event may be, {_MOST} bytes")
    return raw
