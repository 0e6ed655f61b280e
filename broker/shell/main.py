"""`dsmt-event`: say and hear events from a shell script."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys

from broker.shell.arguments import parsed
from broker.shell.publishing import publish
from broker.shell.watching import watch
from dsmt_core.errors import DsmtError

_INTERRUPTED = 130


def run() -> None:
    """Entry point; the exit code is that of `dsmt_core.errors`."""
    arguments = parsed()
    # An error is one plain line; what the bus tries meanwhile is not for a script's output.
    logging.basicConfig(level=logging.CRITICAL)
    try:
        code = asyncio.run(_command(arguments))
    except DsmtError as error:
        hint = f"\n  {error.hint}" if error.hint else ""
        sys.stderr.write(f"dsmt-event: {error}{hint}\n")
        code = error.exit_code
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        # Who listened has gone; nothing is left to be flushed at the end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


async def _command(arguments: argparse.Namespace) -> int:
    if arguments.command == "publish":
        return await publish(arguments)
    return await watch(arguments)


if __name__ == "__main__":
    run()
