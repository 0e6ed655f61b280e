"""`dsmt-event` as slivers have it: that of the bus, and six commands more for agents that are scripts."""

from __future__ import annotations

import logging
import sys
from typing import Final

from dsmt_core.errors import DsmtError

_FOR_AGENTS: Final = frozenset({"orders", "state", "fetch", "start", "alive", "end"})


def run() -> None:
    """Entry point; the exit code is that of `dsmt_core.errors`."""
    words = sys.argv[1:]
    if not words or words[0] not in _FOR_AGENTS:
        from broker.shell.main import run as usual  # noqa: PLC0415 - either the one or the other

        usual()
        return
    from agents.scripted import commands  # noqa: PLC0415

    logging.basicConfig(level=logging.CRITICAL)
    try:
        code = commands.run(words)
    except DsmtError as error:
        hint = f"\n  {error.hint}" if error.hint else ""
        sys.stderr.write(f"dsmt-event: {error}{hint}\n")
        code = error.exit_code
    except OSError as error:
        sys.stderr.write(f"dsmt-event: {error}\n")
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    run()
