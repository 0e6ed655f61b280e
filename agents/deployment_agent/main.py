"""`dsmt-agent`: the deployment agent as a process inside its sliver."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agents import bootstrap
from agents.deployment_agent.config import FILE, AgentConfig, config_of, read_config
from agents.deployment_agent.paths import SliverPaths
from agents.plugin import Program
from dsmt_core.errors import DsmtError, NotFound

# The container manager writes agent.json before it has the agent started; the rest is patience.
CONFIG_S: Final = 10.0
_LOOK_S: Final = 0.05


def run(given: Mapping[str, Any] | None = None) -> None:
    """Entry point; the exit code is that of `dsmt_core.errors`.

    Args:
        given: the configuration, where the init has it, and no arguments; None: it is in a file.
    """
    run_directory, verbose = _run_directory(), False
    if given is None:
        arguments = parser().parse_args()
        run_directory, verbose = arguments.run, arguments.verbose
    _log(logging.DEBUG if verbose else logging.INFO)
    try:
        program = asyncio.run(_serve(SliverPaths.of_environment(os.environ, run_directory), given))
        if program is not None:
            program.become()
    except OSError as error:
        sys.stderr.write(f"dsmt-agent: the agent cannot be started: {error}\n")
        sys.exit(DsmtError.exit_code)
    except DsmtError as error:
        hint = f"\n  {error.hint}" if error.hint else ""
        sys.stderr.write(f"dsmt-agent: {error}{hint}\n")
        sys.exit(error.exit_code)


def parser() -> argparse.ArgumentParser:
    """What its command line may say."""
    made = argparse.ArgumentParser(
        prog="dsmt-agent", description="The deployment agent of one sliver; started by the sliver's init."
    )
    made.add_argument(
        "--run",
        type=Path,
        default=_run_directory(),
        help="directory with init.sock, node.sock and agent.json (DSMT_RUN; default %(default)s)",
    )
    made.add_argument("-v", "--verbose", action="store_true", help="log every step")
    return made


def _run_directory() -> Path:
    return Path(os.environ.get("DSMT_RUN") or "/run/dsmt")


def _log(level: int) -> None:
    root = logging.getLogger()
    logging.basicConfig(
        # Setting it would have every logger forget what it knows, also where it is set already: in a fork.
        level=level if root.level != level else None,
        format="%(asctime)s %(levelname)s %(message)s",
    )


async def _serve(paths: SliverPaths, given: Mapping[str, Any] | None) -> Program | None:
    config = config_of(given) if given else await _config(paths.run / FILE)
    work = asyncio.create_task(bootstrap.serve(config, paths))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    await asyncio.wait({work})
    return None if work.cancelled() else work.result()


async def _config(path: Path) -> AgentConfig:
    end = time.monotonic() + CONFIG_S
    while True:
        try:
            return await asyncio.to_thread(read_config, path)
        except NotFound:
            if time.monotonic() >= end:
                raise
        await asyncio.sleep(_LOOK_S)


if __name__ == "__main__":
    run()
