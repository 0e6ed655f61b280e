"""``dsmtc image``: an application given as an image's name."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from dsmt_core.errors import Invalid
from dsmt_core.images import ImageName, version_of
from dsmtc.dispatch import session_of
from dsmtc.rendering.views import stored

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def image(
    context: typer.Context,
    application: Annotated[str, typer.Argument(metavar="APP", help="the application that it is")],
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="as podman pull takes it")],
    *,
    version: Annotated[str, typer.Option(help="of the application; else what the tag tells")] = "",
) -> None:
    """Add an application that is an image, or another version of it.

    Its nodes need podman, and the image or its registry. It has its slivers for itself.

    Example: dsmtc image web docker.io/library/httpd:2.4
    """
    session = session_of(context)
    told = version or version_of(reference)
    if not told:
        raise Invalid(f"{reference} tells no version", hint="--version VERSION says which one it is")
    named = ImageName(application, told, reference)
    with tempfile.TemporaryDirectory(prefix="dsmtc-") as folder:
        file = Path(folder, named.filename)
        file.write_text(named.text)
        kept = session.client.put_package(session.slice, file)
    session.out.answer(kept, lambda: [stored(kept)])
