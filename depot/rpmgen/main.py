"""``rpmgen``: the command. The paths of what was made on stdout, the story on stderr.

Rule of this file: it reads arguments and prints; an error is one plain line and a hint, and the exit
code of its kind (`dsmt_core.errors`).
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer

from depot.rpmgen.making import Made, Wish, make
from dsmt_core.errors import DsmtError

_app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

# typer keeps the lines of a paragraph that begins with \b.
_HELP: Final = """Make the two packages of an application: itself, and the wrapper that DSMT starts it with.

\b
rpmgen --installdir /usr/local --file pinger-1.8.tgz
       --start /usr/local/pinger/start.sh
       --stop /usr/local/pinger/stop.sh
       --status /usr/local/pinger/status.sh

An RPM as --file gives the wrapper only.
"""

_File = Annotated[Path, typer.Option("--file", help="The application's tarball (gz, xz, zst), or an RPM.")]
_InstallDir = Annotated[str, typer.Option(help="Where it is installed: in INSTALLDIR/application.")]
_Start = Annotated[str, typer.Option(help="The start script, as it lies after the installation.")]
_Stop = Annotated[str, typer.Option(help="The stop script.")]
_Status = Annotated[str, typer.Option(help="The status script.")]
_Dependencies = Annotated[str, typer.Option(help='What it needs: "a >= 1.0,b".')]
_Version = Annotated[str, typer.Option(help="The version, instead of the one in the tarball.")]
_Release = Annotated[str, typer.Option(help="The release; 1 unless given.")]
_Target = Annotated[str, typer.Option(help="i386, x86_64, noarch …; found out from the content.")]
_Output = Annotated[Path, typer.Option(help="The directory for the packages.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@_app.command(help=_HELP)
def rpmgen(  # noqa: PLR0913 - one parameter an option: that is how typer reads them
    *,
    file: _File,
    installdir: _InstallDir = "",
    start: _Start = "",
    stop: _Stop = "",
    status: _Status = "",
    dependencies: _Dependencies = "",
    version: _Version = "",
    release: _Release = "",
    target: _Target = "",
    output: _Output = Path(),
    as_json: _Json = False,
) -> None:
    """Reads the options, tells what was made."""
    wish = Wish(
        file=file,
        output=output,
        installdir=installdir,
        scripts={"start": start, "stop": stop, "status": status},
        dependencies=dependencies,
        version=version,
        release=release,
        target=target,
    )
    _tell_about(wish)
    made = make(wish)
    if as_json:
        typer.echo(json.dumps({"packages": list(map(_record, made))}))
    else:
        typer.echo("\n".join(str(package.path) for package in made))


def run() -> None:
    """The program."""
    signal.signal(signal.SIGTERM, _end)
    try:
        _app(prog_name="rpmgen")
    except DsmtError as error:
        _fail(str(error), error.hint, error.exit_code)
    except OSError as error:
        _fail(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), "", DsmtError.exit_code)


def _tell_about(wish: Wish) -> None:
    if not wish.scripts["start"]:
        typer.echo("rpmgen: without --start, DSMT can install the application but not start it", err=True)


def _record(made: Made) -> dict[str, str | int]:
    return {
        "path": str(made.path),
        "name": made.name,
        "version": made.version,
        "arch": made.arch,
        "size": made.size,
        "digest": made.digest,
    }


def _fail(message: str, hint: str, code: int) -> None:
    typer.echo(f"rpmgen: {message}" + (f"\n  {hint}" if hint else ""), err=True)
    sys.exit(code)


def _end(number: int, _frame: FrameType | None) -> None:
    # As an exception, so that the private directory of the build is removed and rpmbuild ended.
    sys.exit(128 + number)


if __name__ == "__main__":
    run()
