"""``dsmt-planner ca``: the authority of the installation, on the planner's own machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from dsmt_core.errors import Conflict, Invalid, NotFound
from planner.options import Data, usual_place

if TYPE_CHECKING:
    from broker.certificates import Authority

app = typer.Typer(
    help="The authority of this installation: whom its nodes and people trust.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
_DAYS: Final = 825


@app.command()
def init(
    *,
    data: Data = None,
    take: Annotated[
        Path | None, typer.Option("--from", help="Take one over: DIR with authority.pem and authority.key.")
    ] = None,
) -> None:
    """Make the authority. From then on the planner speaks HTTPS wherever others can reach it."""
    from broker.certificates import Authority  # noqa: PLC0415 - help must not wait for it
    from planner.tls import authority  # noqa: PLC0415

    folder = _folder(data)
    if take is None:
        made = authority.make(folder)
    else:
        try:
            files = [(take / name).read_bytes() for name in (authority.CERTIFICATE, authority.KEY)]
        except FileNotFoundError as error:
            raise NotFound(f"there is no {error.filename}") from None
        made = authority.keep(folder, Authority(*files))
    _show(made)


@app.command()
def show(*, data: Data = None) -> None:
    """Show its fingerprint, which nodes and people are told, and until when it holds."""
    _show(_loaded(data))


@app.command()
def issue(
    hosts: Annotated[
        list[str], typer.Argument(metavar="HOST...", help="All names and addresses of one host.")
    ],
    *,
    data: Data = None,
    to: Annotated[Path, typer.Option(help="The directory for HOST.pem, which holds the key too.")] = Path(),
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is valid.")] = _DAYS,
) -> None:
    """Make key and certificate of a host that is not the planner's: a broker, a depot, a mirror.

    The same again renews it: the programs of DSMT take a new file over while they run.
    """
    from planner.tls.authority import write_private  # noqa: PLC0415 - see `init`

    for host in hosts:
        if not host or "/" in host or any(letter.isspace() for letter in host):
            raise Invalid(f"{host!r} is no name of a host", hint="such as depot.example.org or 10.0.0.7")
    signer = _loaded(data)
    made = signer.certify(hosts[0], datetime.now(UTC), others=hosts[1:], lasts=timedelta(days=days))
    if not to.is_dir():
        raise NotFound(f"there is no directory {to}")
    path = to / f"{hosts[0]}.pem"
    write_private(path, (made.key + made.certificate).encode())
    typer.echo(f"{path} holds key and certificate; whoever has it may pass for {', '.join(hosts)}")


def _show(signer: Authority) -> None:
    from broker.certificates import life_of  # noqa: PLC0415 - see `init`
    from dsmt_core.authorities import fingerprint  # noqa: PLC0415

    typer.echo(fingerprint(signer.der))
    typer.echo(f"valid until {life_of(signer.certificate).ends:%Y-%m-%d}")


def _loaded(data: Path | None) -> Authority:
    from planner.tls import authority  # noqa: PLC0415 - see `init`

    folder = _folder(data)
    signer = authority.load(folder)
    if signer is None:
        raise Conflict(f"{folder} has no authority yet", hint="dsmt-planner ca init makes it")
    return signer


def _folder(data: Path | None) -> Path:
    folder = data or usual_place()
    if not folder.is_dir():
        raise NotFound(
            f"there is no directory {folder}", hint=f"dsmt-planner init --data {folder} --admin ACCOUNT"
        )
    return folder
