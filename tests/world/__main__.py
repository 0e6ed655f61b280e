"""``python -m tests.world --seed N [--count M]``: run simulated worlds; the first broken law ends it."""

from __future__ import annotations

import argparse
import sys
import time

from tests.world.truth import Broken
from tests.world.world import run


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.world", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds, one after the other")
    parser.add_argument("--keep-going", action="store_true", help="do not end at the first broken law")
    asked = parser.parse_args()
    began, steps, broken = time.monotonic(), 0, 0
    for seed in range(asked.seed, asked.seed + asked.count):
        try:
            steps += run(seed).simulation.steps
        except Broken as error:
            broken += 1
            sys.stderr.write(f"seed {seed}: {error}\n")
            if not asked.keep_going:
                raise
    seconds = time.monotonic() - began
    sys.stdout.write(f"{asked.count} worlds, {steps} steps, {broken} broken, {seconds:.1f} s\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
