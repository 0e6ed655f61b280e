"""``dsmtc depot``: the packages of a slice."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from dsmt_core.errors import Conflict, Invalid, NotFound
from dsmt_core.names import WRAPPER_PREFIX
from dsmtc import publishing
from dsmtc.amounts import bytes_of
from dsmtc.commandline import Misused
from dsmtc.dispatch import session_of
from dsmtc.durations import seconds
from dsmtc.progress import Progress
from dsmtc.rendering.depots import about, lacking, pruned, room
from dsmtc.rendering.views import packages, stored
from dsmtc.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="packages, such as rpmgen makes")]
_Names = Annotated[list[str], typer.Argument(metavar="FILENAME...", help="as depot list shows it")]


@app.callback(invoke_without_command=True)
def depot(context: typer.Context) -> None:
    """Application packages; alone it lists them.

    Example: dsmtc depot put pinger-1.8.i386.rpm
    """
    if context.invoked_subcommand is None:
        list_packages(context)


@app.command()
def put(
    context: typer.Context,
    files: _Files,
    *,
    sign_with: Annotated[str, typer.Option("--sign", metavar="KEYFILE", help=publishing.HELP)] = "",
) -> None:
    """Put packages into the depot of the slice, signed by their publisher if a key is named.

    Example: dsmtc depot put pinger-1.8-1.noarch.rpm dsmtw_pinger-1.8-1.noarch.rpm --sign ~/.ssh/build
    """
    session = session_of(context)
    slice_ = session.slice
    # A wrapper after what it requires, whatever the order in which a shell's *.rpm has them.
    files = sorted(files, key=lambda file: file.name.startswith(WRAPPER_PREFIX))
    # A key that cannot be used is told before anything is sent.
    signatures = [
        publishing.signature_of(session, file, sign_with) if sign_with else None for file in files
    ]
    kept = []
    for file, signature in zip(files, signatures, strict=True):
        with Progress(file.name) as progress:
            kept.append(session.client.put_package(slice_, file, told=progress.reached))
        if not session.out.form:
            session.out.show([stored(kept[-1])])
        if signature is not None:
            publishing.keep(session, file.name, signature)
    session.out.answer(kept, list)
    if not sign_with:
        for line in lacking(slice_, kept):
            session.out.story(line)


@app.command()
def sign(
    context: typer.Context,
    files: _Files,
    *,
    sign_with: Annotated[
        str, typer.Option("--sign", metavar="KEYFILE", help=publishing.HELP)
    ] = publishing.OWN_KEY,
    signature: Annotated[
        str, typer.Option(metavar="FILE.sig", help="of ssh-keygen -Y sign, made elsewhere")
    ] = "",
) -> None:
    """Sign packages that are in the depot already; the very files are to be at hand.

    Example: dsmtc depot sign pinger-1.8-1.noarch.rpm --sign ~/.ssh/build
    """
    session = session_of(context)
    if signature and len(files) > 1:
        raise Misused("--signature is of one file", hint="dsmtc depot sign FILE --signature FILE.sig")
    kept = []
    for file in files:
        made = (
            publishing.signature_in(Path(signature))
            if signature
            else publishing.signature_of(session, file, sign_with)
        )
        kept.append(publishing.keep(session, file.name, made))
    session.out.answer(kept, list)


@app.command("statement")
def show_statement(context: typer.Context, file: Path) -> None:
    """Print what a publisher signs of a package file: for keys that are kept elsewhere.

    Example: dsmtc depot statement FILE | ssh-keygen -Y sign -n dsmt-package -f KEYFILE > FILE.sig
    """
    session = session_of(context)
    about = publishing.statement(file)
    answer = {"text": about.text, "digest": about.digest}
    session.out.answer(answer, about.text.splitlines)


@app.command("list")
def list_packages(context: typer.Context) -> None:
    """List what the depot holds for the slice.

    Example: dsmtc depot list
    """
    session = session_of(context)
    found = session.client.packages(session.slice)
    session.out.answer(found, lambda: packages(found, session.client.now()))


@app.command()
def show(
    context: typer.Context, filename: Annotated[str, typer.Argument(help="as depot list shows it")]
) -> None:
    """Show one package: what it is, who put it and when, whose signatures it has, and what uses it.

    Example: dsmtc depot show pinger-1.8-1.noarch.rpm
    """
    session = session_of(context)
    found = session.client.about_package(session.slice, filename)
    session.out.answer(found, lambda: about(found, session.client.now()))


@app.command()
def get(
    context: typer.Context,
    filename: Annotated[str, typer.Argument(help="as depot list shows it")],
    *,
    output: Annotated[str, typer.Option(help="where to; - is stdout")] = "",
) -> None:
    """Fetch a package, and check its digest. A file that is there is kept, unless --yes.

    Example: dsmtc depot get pinger-1.8-1.noarch.rpm --output /tmp/pinger.rpm
    """
    session = session_of(context)
    digest = _digest(session, filename)
    with session.client.package(session.slice, filename) as pieces:
        if output == "-":
            for piece in _checked(pieces, digest):
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return
        target = Path(output or Path(filename).name)
        if target.exists() and not session.common.yes:
            raise Conflict(f"{target} is there already", hint="--yes overwrites it, --output names another")
        _write(target, _checked(pieces, digest))
    answer = {"filename": filename, "digest": digest, "path": str(target)}
    session.out.answer(answer, lambda: [f"{filename} is in {target}"])


@app.command()
def remove(context: typer.Context, filenames: _Names) -> None:
    """Remove packages that nothing wants.

    Example: dsmtc depot remove pinger-1.7-1.noarch.rpm
    """
    session = session_of(context)
    for filename in filenames:
        session.client.remove_package(session.slice, filename)
        session.out.trace(f"removed {filename}")
    session.out.answer({"removed": filenames}, lambda: [f"removed {name}" for name in filenames])


@app.command()
def prune(
    context: typer.Context,
    *,
    keep: Annotated[int, typer.Option(help="how many of the newest versions of each package stay")] = 3,
    older_than: Annotated[str, typer.Option(help="only what was put so long ago, such as 30d")] = "0s",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only tell what would be removed")] = False,
) -> None:
    """Remove the packages that nothing needs any more.

    What is wanted, placed, in a roll-out, or the version to go back to always stays.

    Example: dsmtc depot prune --keep 2 --older-than 30d --dry-run
    """
    session = session_of(context)
    found = session.client.prune(
        session.slice, keep=keep, older_than_s=seconds(older_than, "--older-than"), dry_run=dry_run
    )
    session.out.answer(found, lambda: pruned(found))


@app.command()
def quota(
    context: typer.Context,
    allowed: Annotated[
        str, typer.Argument(metavar="[BYTES]", help="such as 500M, 20G, none or default (admin)")
    ] = "",
) -> None:
    """Show how much the slice keeps and may keep, or say how much it may keep.

    Example: dsmtc depot quota 20G
    """
    session = session_of(context)
    client, slice_ = session.client, session.slice
    found = client.give_room(slice_, bytes_of(allowed)) if allowed else client.room(slice_)
    session.out.answer(found, lambda: room(found))


def _digest(session: Session, filename: str) -> str:
    for package in session.client.packages(session.slice):
        if package["filename"] == filename:
            return package["digest"]
    raise NotFound(f"the depot holds no {filename!r} for this slice", hint="dsmtc depot list")


def _checked(pieces: Iterator[bytes], digest: str) -> Iterator[bytes]:
    hashed = hashlib.sha256()
    for piece in pieces:
        hashed.update(piece)
        yield piece
    if hashed.hexdigest() != digest:
        raise Invalid("what came is not what the depot's list says: its digest differs", hint="try again")


def _write(target: Path, pieces: Iterator[bytes]) -> None:
    """All of it or nothing: beside the target first, then in its place."""
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("xb") as file:
            file.writelines(pieces)
        beside.replace(target)
    except OSError as error:
        raise Invalid(f"{target} cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
