"""``dsmtc publishers``: whose packages a slice takes."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.client.signed import PublishersShown
from dsmtc.dispatch import session_of
from dsmtc.rendering.depots import publishers as view
from dsmtc.session import Session
from dsmtc.signing import public_line

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_Name = Annotated[str, typer.Argument(metavar="NAME", help="by which people know the publisher")]


@app.callback(invoke_without_command=True)
def publishers(context: typer.Context) -> None:
    """Whose packages a slice takes; alone it lists them.

    Example: dsmtc publishers add build ~/.ssh/build.pub --slice SLICENAME
    """
    if context.invoked_subcommand is None:
        session = session_of(context)
        _show(session, session.client.publishers(session.slice))


@app.command()
def add(
    context: typer.Context,
    name: _Name,
    key: Annotated[
        str, typer.Argument(metavar="FILE.pub", help="of Ed25519; or of OpenPGP, for RPMs: FILE.asc")
    ],
) -> None:
    """Take packages of this publisher, and from now on none that no publisher has signed (pi, admin).

    What runs goes on. A name that is known gets the new key. With a key of OpenPGP (gpg --armor --export)
    each RPM that is put must carry a signature of its own by such a key, which rpm looks at.

    Example: dsmtc publishers add build ~/.ssh/build.pub --slice SLICENAME
    """
    session = session_of(context)
    _show(session, session.client.add_publisher(session.slice, name, public_line(key)))


@app.command()
def remove(context: typer.Context, name: _Name) -> None:
    """Take no new packages of this publisher (pi, admin); without any, the slice takes none at all.

    What runs goes on.

    Example: dsmtc publishers remove build --slice SLICENAME
    """
    session = session_of(context)
    _show(session, session.client.remove_publisher(session.slice, name))


@app.command("any")
def any_(context: typer.Context) -> None:
    """Take any package again, signed or not (pi, admin); the publishers are forgotten.

    Example: dsmtc publishers any --slice SLICENAME
    """
    session = session_of(context)
    _show(session, session.client.take_any_package(session.slice))


def _show(session: Session, found: PublishersShown) -> None:
    session.out.answer(found, lambda: view(found))
