"""``dsmtc image``: an application given as an image's name, or as its archive."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from dsmt_core.errors import Invalid
from dsmt_core.image_archives import ImageArchive, read_archive
from dsmt_core.images import ImageName, version_of
from dsmtc import publishing
from dsmtc.client import Stored
from dsmtc.dispatch import session_of
from dsmtc.progress import Progress
from dsmtc.rendering.views import stored
from dsmtc.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def image(  # noqa: PLR0913 - each is an option of the command line
    context: typer.Context,
    application: Annotated[str, typer.Argument(metavar="APP", help="the application that it is")],
    reference: Annotated[str, typer.Argument(metavar="[REFERENCE]", help="as podman pull takes it")] = "",
    *,
    archive: Annotated[str, typer.Option(help="the image itself, as podman save writes it")] = "",
    version: Annotated[str, typer.Option(help="of the application; else what the tag tells")] = "",
    sign_with: Annotated[str, typer.Option("--sign", metavar="KEYFILE", help=publishing.HELP)] = "",
) -> None:
    """Add an application that is an image, or another version of it.

    Its nodes need podman, and the image or its registry, unless --archive. It has its slivers for itself.

    Example: dsmtc image web docker.io/library/httpd:2.4
    """
    session = session_of(context)
    if bool(archive) == bool(reference):
        raise Invalid("an image has a name, or an archive", hint="REFERENCE, or --archive FILE")
    if archive:
        found = _found(Path(archive))
        named = _named(application, version, found.names, found.reference)
        _put(session, Path(archive), sign_with)
    else:
        named = _named(application, version, (reference,), reference)
    with tempfile.TemporaryDirectory(prefix="dsmtc-") as folder:
        file = Path(folder, named.filename)
        file.write_text(named.text)
        kept = _put(session, file, sign_with)
    session.out.answer(kept, lambda: [stored(kept)])


def _put(session: Session, file: Path, sign_with: str) -> Stored:
    signature = publishing.signature_of(session, file, sign_with) if sign_with else ""
    with Progress(file.name) as progress:
        kept = session.client.put_package(session.slice, file, told=progress.reached)
    if signature:
        publishing.keep(session, file.name, signature)
    return kept


def _named(application: str, version: str, names: Iterable[str], reference: str) -> ImageName:
    told = version or next(filter(None, map(version_of, names)), "")
    if not told:
        raise Invalid("the image's name tells no version", hint="--version VERSION says which one it is")
    return ImageName(application, told, reference)


def _found(file: Path) -> ImageArchive:
    try:
        with file.open("rb") as opened:
            found = read_archive(opened, file.stat().st_size)
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}") from error
    if found is None:
        raise Invalid(
            f"{file} is not the archive of an image",
            hint="podman save --output FILE IMAGE, or docker save, writes one; not compressed",
        )
    return found
