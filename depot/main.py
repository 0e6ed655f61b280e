"""``dsmt-depot``: the command that runs the depot.

Rule of this file: it reads arguments and puts the parts together; an error is one plain line and a hint,
and the exit code of its kind (`dsmt_core.errors`).
"""

from __future__ import annotations

import logging
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

import structlog
import tenacity
import typer

from broker.metering import Reader
from broker.trust import trusting
from depot.access import Secrets
from depot.mirror.mirror import Mirror
from depot.mirror.service import create_mirror
from depot.mirror.shelf import Shelf
from depot.mirror.upstream import Upstream
from depot.server import Serving, parse_listen, serve
from depot.service import create_app
from depot.store import MAX_BYTES, Store
from dsmt_core.authorities import certificates
from dsmt_core.errors import Conflict, DsmtError, Invalid

# The depot of a planner that was killed ends within 3 s; its successor is there before.
_WHEN_FREE: Final = tenacity.Retrying(
    retry=tenacity.retry_if_exception_type(Conflict),
    wait=tenacity.wait_fixed(0.1),
    stop=tenacity.stop_after_delay(6.0),
    reraise=True,
)

_app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="The depot: the store of application packages.",
)

_Data = Annotated[Path, typer.Option(help="Its directory; made when it is not there.")]
_Listen = Annotated[str, typer.Option(help="HOST:PORT; port 0 takes a free one.")]
_SecretFile = Annotated[
    Path,
    typer.Option(help='JSON, {"planner": …, "node": …}, mode 600.', envvar="DSMT_DEPOT_SECRET_FILE"),
]
_MirrorOf = Annotated[
    str, typer.Option(help="URL of a depot: serve its packages to the nodes of a site, and take none.")
]
_MaxBytes = Annotated[int, typer.Option(min=1, help="Bytes of all packages together.")]
_ReadyFile = Annotated[Path | None, typer.Option(help="Written when it answers.")]
_Certificate = Annotated[
    Path | None,
    typer.Option(
        help="Serve HTTPS with this (dsmt-planner ca issue); watched, so a new file is taken over."
    ),
]
_Authority = Annotated[
    Path | None, typer.Option(help="Of a mirror: the authority (PEM) that the depot's certificate is of.")
]
_InsecurePlain = Annotated[bool, typer.Option("--insecure-plain", help="Plain HTTP where others hear it.")]
_Metrics = Annotated[
    str, typer.Option(help="Serve /metrics: FILE with the token that is to be shown, or `open`.")
]
_OwnerPipe = Annotated[bool, typer.Option("--owner-pipe", help="End when standard input ends.")]


@_app.callback()
def _program() -> None:
    """Keeps ``run`` a word of its own, although it is the only one."""


@_app.command("run")
def run_depot(  # noqa: PLR0913 - one parameter an option: that is how typer reads them
    *,
    data: _Data,
    secret_file: _SecretFile,
    listen: _Listen = "127.0.0.1:0",
    max_bytes: _MaxBytes = MAX_BYTES,
    mirror_of: _MirrorOf = "",
    certificate: _Certificate = None,
    authority: _Authority = None,
    insecure_plain: _InsecurePlain = False,
    metrics: _Metrics = "",
    ready_file: _ReadyFile = None,
    owner_pipe: _OwnerPipe = False,
) -> None:
    """Run the depot, or a mirror of one, until SIGTERM."""
    host, port = parse_listen(listen)
    serving = Serving(
        host=host,
        port=port,
        ready_file=ready_file,
        owner_pipe=owner_pipe,
        certificate=certificate,
        insecure_plain=insecure_plain,
    )
    reader = Reader.parse(metrics)
    if mirror_of:
        secrets = Secrets.of_mirror(secret_file)
        upstream = _upstream(mirror_of, secrets, authority)
        run_mirror(upstream, serving, secrets, data=data, max_bytes=max_bytes, reader=reader)
        return
    secrets = Secrets.read(secret_file)
    with closing(_WHEN_FREE(Store, data, max_bytes=max_bytes)) as store:
        serve(create_app(store, secrets, reader=reader), serving)


def run_mirror(  # noqa: PLR0913 - what a mirror consists of
    upstream: Upstream,
    serving: Serving,
    secrets: Secrets,
    *,
    data: Path,
    max_bytes: int,
    reader: Reader | None = None,
) -> None:
    """Run a mirror of the depot ``upstream`` until SIGTERM."""
    with closing(_WHEN_FREE(Shelf, data, max_bytes=max_bytes)) as shelf:
        mirror = Mirror(shelf, upstream)
        serve(create_mirror(mirror, shelf, secrets, url=upstream.url, reader=reader), serving)


def _upstream(url: str, secrets: Secrets, authority: Path | None) -> Upstream:
    if not url.startswith(("http://", "https://")):
        raise Invalid(f"--mirror-of {url!r} is not a URL", hint="such as http://depot.example.org:7081")
    if authority is None:
        return Upstream(url, secrets.node)
    try:
        trust = trusting(b"".join(certificates(authority.read_text())))
    except (DsmtError, ValueError) as error:
        raise Invalid(f"--authority {authority}: {error}") from error
    return Upstream(url, secrets.node, verify=trust)


def run() -> None:
    """The program."""
    _log_to_stderr()
    try:
        _app(prog_name="dsmt-depot")
    except DsmtError as error:
        _fail(str(error), error.hint, error.exit_code)
    except OSError as error:
        _fail(f"{error.filename or 'the system'}: {error.strerror or error}", "", DsmtError.exit_code)


def _log_to_stderr() -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s"
    )
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _fail(message: str, hint: str, code: int) -> None:
    typer.echo(f"dsmt-depot: {message}" + (f"\n  {hint}" if hint else ""), err=True)
    sys.exit(code)


if __name__ == "__main__":
    run()
