"""``python -m tests.world --seed N [--count M]``: run simulated worlds; the first broken law ends it."""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import sys
import time
from collections.abc import Iterable

from tests.world.attempt import attempt

# Seeds that a process takes at a time.
_CHUNK = 20


def main() -> int:
    """Run from the command line; the exit code is 1 when a law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.world", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds, one after the other")
    parser.add_argument("--jobs", type=int, default=1, help="in so many processes at once")
    parser.add_argument("--keep-going", action="store_true", help="do not end at the first broken law")
    parser.add_argument("--trace", action="store_true", help="show what happened, up to the broken law")
    asked = parser.parse_args()
    began, tried, steps, broken = time.monotonic(), 0, 0, 0
    seeds = [(seed, asked.trace) for seed in range(asked.seed, asked.seed + asked.count)]
    with contextlib.ExitStack() as ends:
        each: Iterable[tuple[int, str]] = map(attempt, seeds)
        if asked.jobs > 1:
            pool = ends.enter_context(multiprocessing.get_context("forkserver").Pool(asked.jobs))
            each = pool.imap(attempt, seeds, _CHUNK)
        for done, said in each:
            tried, steps, broken = tried + 1, steps + done, broken + bool(said)
            if said:
                sys.stderr.write(said)
                if not asked.keep_going:
                    break
    seconds = time.monotonic() - began
    sys.stdout.write(f"{tried} worlds, {steps} steps, {broken} broken, {seconds:.1f} s\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
