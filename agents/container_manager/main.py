"""``dsmt-node``: the container manager of one machine."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from agents.container_manager import identity, installing, pinning
from agents.container_manager import options as node_options
from agents.container_manager.config import NodeConfig
from agents.container_manager.service import ContainerManager
from agents.container_manager.sole import only_one
from agents.facts import dsmt_version
from dsmt_core.errors import DsmtError

_OTHERS = frozenset({pinning.VERB, identity.SHOW, identity.REKEY})


def run(argv: Sequence[str] | None = None) -> None:
    """Entry point of ``dsmt-node``."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words and words[0] in {*installing.VERBS, *_OTHERS}:
        _other(words)
        return
    options = _parser().parse_args(words)
    level = logging.DEBUG if options.verbose else logging.INFO
    logging.basicConfig(level=level, format="dsmt-node: %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("pika").setLevel(logging.ERROR)
    try:
        asyncio.run(_serve(node_options.config(options), options.ready_file))
    except DsmtError as error:
        raise SystemExit(_told(error)) from None
    except OSError as error:
        raise SystemExit(_told(DsmtError(str(error), hint="look at --data and its rights"))) from None
    except BaseExceptionGroup as group:
        ours = _only_error(group)
        if ours is None:
            raise
        raise SystemExit(_told(ours)) from None


def _other(words: Sequence[str]) -> None:
    """What is no run of the manager."""
    try:
        if words[0] == pinning.VERB:
            pinning.run(words[1:])
        elif words[0] in _OTHERS:
            identity.run(words)
        else:
            installing.run(words)
    except DsmtError as error:
        raise SystemExit(_told(error)) from None
    except OSError as error:
        raise SystemExit(_told(DsmtError(str(error), hint="as root, or with --user"))) from None


async def _serve(config: NodeConfig, ready_file: Path | None) -> None:
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    assert me is not None  # noqa: S101 - asyncio.run makes one
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, me.cancel)
    with only_one(config.data):
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dsmt-node",
        description="The container manager of one machine.",
        epilog="`dsmt-node install --help`: write a unit for systemd; `dsmt-node uninstall` takes it away; "
        "`dsmt-node trust`: say which key the planner signs orders with; `dsmt-node show`: what this node "
        "is known by; `dsmt-node rekey`: have it make another key.",
    )
    node_options.add(parser)
    parser.add_argument("--version", action="version", version=dsmt_version())
    return parser


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
