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
    from planner.tls.authority import Files

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
    """Show its fingerprint, which nodes and people are told, and until when it holds.

    For a broker that is to ask for certificates it also tells where the authority of those is.
    """
    from planner.tls import authority  # noqa: PLC0415 - see `init`

    _show(_loaded(data))
    clients = _folder(data) / authority.CLIENTS.certificate
    if clients.exists():
        typer.echo(f"brokers know clients by {clients}")


@app.command()
def issue(
    hosts: Annotated[
        list[str], typer.Argument(metavar="HOST...", help="All names and addresses of one host.")
    ],
    *,
    data: Data = None,
    to: Annotated[Path, typer.Option(help="The directory for HOST.pem, which holds the key too.")] = Path(),
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is valid.")] = _DAYS,
    client: Annotated[
        bool, typer.Option("--client", help="Of a program that connects to the broker.")
    ] = False,
) -> None:
    """Make key and certificate of a host that is not the planner's: a broker, a depot, a mirror.

    With --client it is what a program shows to a broker that asks for certificates; nodes get theirs when
    they join. The same again renews it: the programs of DSMT take a new file over while they run.
    """
    from planner.tls.authority import write_private  # noqa: PLC0415 - see `init`

    for host in hosts:
        if not host or "/" in host or any(letter.isspace() for letter in host):
            raise Invalid(f"{host!r} is no name of a host", hint="such as depot.example.org or 10.0.0.7")
    if not to.is_dir():
        raise NotFound(f"there is no directory {to}")
    lasts, path = timedelta(days=days), to / f"{hosts[0]}.pem"
    if client:
        write_private(path, _of_client(data, hosts[0], lasts).encode())
        typer.echo(f"{path} holds key and certificate; end the broker's URL with ?certificate={path}")
        return
    made = _loaded(data).certify(hosts[0], datetime.now(UTC), others=hosts[1:], lasts=lasts)
    write_private(path, (made.key + made.certificate).encode())
    typer.echo(f"{path} holds key and certificate; whoever has it may pass for {', '.join(hosts)}")


def _of_client(data: Path | None, name: str, lasts: timedelta) -> str:
    """A key and a certificate with which ``name`` connects to the broker."""
    import secrets  # noqa: PLC0415 - see `init`

    from dsmt_core.authorities import as_pem  # noqa: PLC0415
    from dsmt_core.ed25519 import Signer, private_pem  # noqa: PLC0415
    from dsmt_core.signing import out_of_text  # noqa: PLC0415
    from planner.tls import authority  # noqa: PLC0415

    seed = secrets.token_bytes(32)
    key = out_of_text(Signer(seed).public)
    der = _loaded(data, authority.CLIENTS).certify_client(name, key, datetime.now(UTC), lasts=lasts)
    return private_pem(seed) + as_pem([der])


def _show(signer: Authority) -> None:
    from broker.certificates import life_of  # noqa: PLC0415 - see `init`
    from dsmt_core.authorities import fingerprint  # noqa: PLC0415

    typer.echo(fingerprint(signer.der))
    typer.echo(f"valid until {life_of(signer.certificate).ends:%Y-%m-%d}")


def _loaded(data: Path | None, of: Files | None = None) -> Authority:
    from planner.tls import authority  # noqa: PLC0415 - see `init`

    folder, files = _folder(data), of or authority.HOSTS
    signer = authority.load(folder, files)
    if signer is None:
        hint = "dsmt-planner ca init makes it; that of clients is made at the next start of the planner"
        raise Conflict(f"{folder} has no {files.name} yet", hint=hint)
    return signer


def _folder(data: Path | None) -> Path:
    folder = data or usual_place()
    if not folder.is_dir():
        raise NotFound(
            f"there is no directory {folder}", hint=f"dsmt-planner init --data {folder} --admin ACCOUNT"
        )
    return folder
