"""``dsmt-planner``: the control plane as a program.

Answers on stdout, the story on stderr; an error is one plain line and a hint; its kind
is the exit code. Secrets come from the environment or files as well: none needs to be an argument.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from broker.limits import EVENT_BYTES_LEAST, EVENT_BYTES_MOST
from broker.metering import Reader
from broker.topology import HISTORY_AGE_S, HISTORY_BYTES
from dsmt_core.errors import DsmtError, Invalid, NotFound
from dsmt_core.wire import BODY_BYTES
from planner import checked, collector, keys
from planner.config import PlannerConfig
from planner.expiry import GRACE_S
from planner.options import (
    AuditKeep,
    BrokerManagement,
    Data,
    DatabaseUrl,
    DepotKeep,
    DepotMirrors,
    DepotOlderThan,
    InsecurePlain,
    Metrics,
    Names,
    SliceDepotBytes,
    SliceGrace,
    Tls,
    usual_place,
)
from planner.tls import commands as ca
from planner.tls.deciding import Wish

app = typer.Typer(
    name="dsmt-planner",
    help="The control plane of DSMT: what is wanted, what is seen, and the orders between the two.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(ca.app, name="ca")
app.add_typer(keys.app, name="keys")


@app.command()
def init(
    admin: Annotated[str, typer.Option(help="The first account, such as me@example.com.")],
    *,
    data: Data = None,
    password_file: Annotated[Path | None, typer.Option(help="A file with the password.")] = None,
    site: Annotated[str, typer.Option(help="The name of the home site.", show_default="home")] = "",
    database: DatabaseUrl = "",
) -> None:
    """Make the database and the first account (roles admin, pi and user).

    Where there is one already, the account is made, or gets those roles and the password.
    The password comes from --password-file, from DSMT_PASSWORD, or is asked for.
    """
    from planner.setup import initialise  # noqa: PLC0415 - help must not wait for the database's library

    config = PlannerConfig(data=data or usual_place(), broker="", database=database)
    new = initialise(config, admin, _password(password_file), site)
    typer.echo(f"{'initialised' if new else 'repaired'} {config.data} with the account {admin}")


@app.command("run")
def run_planner_program(  # noqa: PLR0913 - one parameter for each option
    broker: Annotated[str, typer.Option(envvar="DSMT_BROKER", help="URL of the broker, as planner.")],
    *,
    data: Data = None,
    node_broker: Annotated[
        str, typer.Option(envvar="DSMT_NODE_BROKER", help="URL that nodes are given.")
    ] = "",
    operator_broker: Annotated[
        str, typer.Option(envvar="DSMT_OPERATOR_BROKER", help="URL that operators' programs are given.")
    ] = "",
    application_broker: Annotated[
        str,
        typer.Option(envvar="DSMT_APPLICATION_BROKER", help="URL that applications are given; or none."),
    ] = "",
    broker_management: BrokerManagement = "",
    listen: Annotated[str, typer.Option(help="HOST:PORT of the API; port 0 takes a free one.")] = (
        "127.0.0.1:7080"
    ),
    tls: Tls = False,
    insecure_plain: InsecurePlain = False,
    name: Names = None,
    depot: Annotated[str, typer.Option(help="URL of a depot that runs; by default one is started.")] = "",
    depot_listen: Annotated[str, typer.Option(help="HOST:PORT of the depot that is started.")] = "",
    depot_max_bytes: Annotated[int, typer.Option(min=0, help="Room in the depot; 0: its default.")] = 0,
    depot_mirror: DepotMirrors = None,
    slice_depot_bytes: SliceDepotBytes = 0,
    depot_keep: DepotKeep = 0,
    depot_older_than: DepotOlderThan = 30 * 86_400.0,
    metrics: Metrics = "",
    slice_grace: SliceGrace = GRACE_S,
    audit_keep: AuditKeep = 0.0,
    database: DatabaseUrl = "",
    heartbeat: Annotated[float, typer.Option(help="The nodes' period, seconds.")] = 5.0,
    status_period: Annotated[
        float, typer.Option(help="Seconds between status scripts, for new slices.")
    ] = 60.0,
    history_age: Annotated[
        float, typer.Option(help="Seconds; events said longer ago may be dropped from the history.")
    ] = HISTORY_AGE_S,
    history_bytes: Annotated[
        int, typer.Option(min=1_000_000, help="Room for the history; beyond it the oldest may be dropped.")
    ] = HISTORY_BYTES,
    event_bytes: Annotated[
        int,
        typer.Option(
            envvar="DSMT_EVENT_BYTES",
            min=EVENT_BYTES_LEAST,
            max=EVENT_BYTES_MOST,
            help="The most that an event may have; goes into every URL of the broker that is given out.",
        ),
    ] = BODY_BYTES,
    facts: Annotated[
        list[str] | None,
        typer.Option(envvar="DSMT_FACTS", help="A source of facts: [NAME=]file:/PATH; may be repeated."),
    ] = None,
    broker_wait: Annotated[float, typer.Option(help="Seconds to wait for the broker at the start.")] = 30.0,
    ready_file: Annotated[Path | None, typer.Option(help="Written when the API answers.")] = None,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Tell more.")] = 0,
) -> None:
    """Run the control plane until SIGTERM."""
    _tell(verbose)
    host, port = checked.address(listen)
    config = PlannerConfig(
        data=data or usual_place(),
        broker=checked.sized(broker, event_bytes),
        node_broker=checked.party_url(node_broker, "--node-broker", event_bytes),
        operator_broker=checked.party_url(operator_broker, "--operator-broker", event_bytes),
        application_broker=checked.party_url(application_broker, "--application-broker", event_bytes),
        broker_management=broker_management,
        host=host,
        port=port,
        wish=Wish(tls=tls, insecure=insecure_plain),
        names=tuple(name or ()),
        depot=depot.rstrip("/"),
        depot_listen=depot_listen,
        database=database,
        heartbeat=checked.positive(heartbeat, "--heartbeat"),
        status_period=checked.positive(status_period, "--status-period"),
        broker_wait=checked.positive(broker_wait, "--broker-wait"),
        history_age=checked.history_age(history_age),
        history_bytes=history_bytes,
        depot_bytes=depot_max_bytes,
        depot_mirrors=tuple(depot_mirror or ()),
        slice_depot_bytes=slice_depot_bytes,
        depot_keep=depot_keep,
        depot_older_than=depot_older_than,
        metrics=Reader.parse(metrics),
        slice_grace=checked.grace(slice_grace),
        audit_keep=checked.audit_keep(audit_keep),
        facts=tuple(facts or ()),
    )
    _check_there(config)
    if ready_file is not None:
        # One of a former life would be believed before this one answers.
        ready_file.unlink(missing_ok=True)
    asyncio.run(_serve(config, ready_file))


def _check_there(config: PlannerConfig) -> None:
    if not config.data.is_dir() and not config.database:
        raise NotFound(
            f"there is no directory {config.data}",
            hint=f"dsmt-planner init --data {config.data} --admin ACCOUNT",
        )


def main() -> int:
    """Run the program; its exit code."""
    try:
        app(standalone_mode=False)
    except DsmtError as error:
        sys.stderr.write(f"dsmt-planner: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"  {error.hint}\n")
        return error.exit_code
    except typer.Abort:
        return 130
    except OSError as error:
        sys.stderr.write(f"dsmt-planner: {error.filename or 'the system'}: {error.strerror or error}\n")
        return DsmtError.exit_code
    except Exception as error:  # noqa: BLE001 - told apart below
        return _usage(error)
    return 0


def run() -> None:
    """The entry point of the installed program."""
    sys.exit(main())


async def _serve(config: PlannerConfig, ready_file: Path | None) -> None:
    collector.rest()
    from planner.run import run_planner  # noqa: PLC0415 - see `init`

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def ready(url: str) -> None:
        collector.work()
        sys.stderr.write(f"dsmt-planner: answers at {url}; DSMTViewer is at {url}/view/\n")
        if ready_file is not None:
            _write(ready_file, {"url": url, "pid": os.getpid()})

    await run_planner(config, stop=stop, on_ready=ready)


def _write(path: Path, value: dict[str, Any]) -> None:
    """Write ``value`` so that nobody reads half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(value))
    draft.replace(path)


def _password(file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text().splitlines()[0]
        except (OSError, IndexError, UnicodeDecodeError) as error:
            raise Invalid(
                f"no password could be read from {file}", hint="its first line is taken"
            ) from error
    given = os.environ.get("DSMT_PASSWORD")
    if given is not None:
        return given
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _tell(verbose: int) -> None:
    level = [logging.WARNING, logging.INFO, logging.DEBUG][min(verbose, 2)]
    logging.basicConfig(stream=sys.stderr, level=level, format="%(asctime)s %(name)s: %(message)s")
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
    )


def _usage(error: Exception) -> int:
    """How typer's own complaints are told: one line and exit code 2; anything else rises."""
    said = getattr(error, "format_message", None)
    if said is None:
        raise error
    sys.stderr.write(f"dsmt-planner: {said()}\n  dsmt-planner --help says how it is used\n")
    return int(getattr(error, "exit_code", 2))


if __name__ == "__main__":
    run()
