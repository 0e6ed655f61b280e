"""The first process of a simulated machine: starts a command, and starts it again when it dies.

What systemd does with ``Restart=always`` on a real node. Its own end means that the machine has ended;
the keeper above it then ends everything.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from types import FrameType
from typing import Final

_FIRST_S: Final = 0.2
_MOST_S: Final = 5.0
# A command that ran this long is well: the next restart waits for the shortest time again.
_WELL_S: Final = 10.0
# Exit codes that a restart cannot mend: a wrong command line, bad input, denied, in conflict.
_FINAL: Final = frozenset({0, 2, 3, 4, 6})


def main(argv: list[str]) -> int:
    """Run ``argv`` for ever; the exit code is that of its last, final end."""
    stopping = False
    wait_s = _FIRST_S

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        process.send_signal(number)

    process = subprocess.Popen(argv)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while True:
        began = time.monotonic()
        code = process.wait()
        if stopping or code in _FINAL:
            return max(code, 0)
        wait_s = _FIRST_S if time.monotonic() - began > _WELL_S else min(2 * wait_s, _MOST_S)
        time.sleep(wait_s)
        process = subprocess.Popen(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
