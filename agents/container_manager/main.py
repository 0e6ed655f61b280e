"""``dsmt-node``: the container manager of one machine."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from agents.container_manager.config import CACHE_BYTES, NodeConfig
from agents.container_manager.service import ContainerManager
from agents.container_manager.slivers.choosing import AUTO, DRIVERS
from agents.facts import dsmt_version
from dsmt_core.errors import Conflict, DsmtError, Invalid
from dsmt_core.names import host

_TOKEN = "DSMT_NODE_TOKEN"  # noqa: S105 - a name


def run(argv: Sequence[str] | None = None) -> None:
    """Entry point of ``dsmt-node``."""
    options = _parser().parse_args(argv)
    level = logging.DEBUG if options.verbose else logging.INFO
    logging.basicConfig(level=level, format="dsmt-node: %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("pika").setLevel(logging.ERROR)
    try:
        asyncio.run(_serve(_config(options), options.ready_file))
    except DsmtError as error:
        raise SystemExit(_told(error)) from None
    except OSError as error:
        raise SystemExit(_told(DsmtError(str(error), hint="look at --data and its rights"))) from None
    except BaseExceptionGroup as group:
        ours = _only_error(group)
        if ours is None:
            raise
        raise SystemExit(_told(ours)) from None


async def _serve(config: NodeConfig, ready_file: Path | None) -> None:
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    assert me is not None  # noqa: S101 - asyncio.run makes one
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, me.cancel)
    with _only_one(config.data):
        manager = ContainerManager(config)
        ready = asyncio.create_task(_write_when_ready(manager, ready_file))
        try:
            await manager.run()
        except asyncio.CancelledError:
            logging.getLogger(__name__).info("ended; the slivers %s", _fate(config))
        finally:
            ready.cancel()


def _fate(config: NodeConfig) -> str:
    return "were ended" if config.end_slivers else "live on"


async def _write_when_ready(manager: ContainerManager, path: Path | None) -> None:
    await manager.ready.wait()
    if path is not None:
        temporary = path.with_name(path.name + ".new")
        temporary.write_text(json.dumps({"url": "", "pid": os.getpid()}))
        temporary.replace(path)


@contextlib.contextmanager
def _only_one(data: Path) -> Iterator[IO[str]]:
    """Two managers over one directory would undo one another's work."""
    data.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(
                f"another dsmt-node runs on {data}", hint="end it, or give this one a --data of its own"
            ) from None
        yield lock


def _config(options: argparse.Namespace) -> NodeConfig:
    return NodeConfig(
        planner=options.planner,
        token=_token(options),
        host=host(options.host),
        data=options.data.resolve(),
        sliver_driver=options.sliver_driver,
        status_period=options.status_period,
        cache_bytes=options.cache_bytes,
        depot_mirror=_http(options.depot_mirror),
        end_slivers=options.end_slivers,
        fact_programs=options.facts_dir,
    )


def _http(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise Invalid(f"--depot-mirror {url!r} is not a URL", hint="such as http://mirror.example.org:7082")
    return url.rstrip("/")


def _token(options: argparse.Namespace) -> str:
    if options.token_file is not None:
        try:
            return str(options.token_file.read_text()).strip()
        except OSError as error:
            raise Invalid(f"the token file cannot be read: {error}") from error
    return options.token or os.environ.get(_TOKEN, "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dsmt-node", description="The container manager of one machine.")
    add = parser.add_argument
    add("--planner", required=True, metavar="URL", help="the planner's API, such as http://127.0.0.1:7080")
    add("--host", required=True, metavar="NAME", help="the name of this node")
    add("--data", required=True, type=Path, metavar="DIR", help="where everything is kept")
    add("--token", default="", help=f"of `dsmtc nodes invite`; better {_TOKEN} or --token-file")
    add("--token-file", type=Path, metavar="FILE", help="holds the token")
    add("--sliver-driver", default=AUTO, choices=[AUTO, *DRIVERS], help="how slivers are kept apart")
    add("--status-period", type=_seconds, metavar="S", help="seconds between calls of the status scripts")
    add("--cache-bytes", type=int, default=CACHE_BYTES, metavar="N", help="bound of the package cache")
    add("--depot-mirror", default="", metavar="URL", help="a mirror of the depot nearby, asked first")
    add("--end-slivers", action="store_true", help="end the slivers with this program; else they live on")
    add("--facts-dir", type=Path, metavar="DIR", help="programs that tell facts; else facts.d in --data")
    add("--ready-file", type=Path, metavar="FILE", help="written when the node has joined")
    add("--verbose", "-v", action="store_true", help="tell more")
    add("--version", action="version", version=dsmt_version())
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("a number of seconds above 0")
    return value


def _told(error: DsmtError) -> int:
    print(f"dsmt-node: {error}", *([error.hint] if error.hint else []), sep="\n  ", file=sys.stderr)  # noqa: T201
    return error.exit_code


def _only_error(group: BaseExceptionGroup[BaseException]) -> DsmtError | None:
    """The error of ours that ended a group of tasks; None when there was another one too."""
    ours, others = group.split(DsmtError)
    if ours is None or others is not None:
        return None
    first: BaseException = ours
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first if isinstance(first, DsmtError) else None


if __name__ == "__main__":
    run()
