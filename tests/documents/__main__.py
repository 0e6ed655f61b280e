"""Plays pages by hand, in the world of ``dsmtc dev`` that the environment names.

python -m tests.documents --home build/dev --work /tmp/work docs/how-to/watch-an-application.md …
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

from dsmtc.client import Client, Credentials
from tests.documents.blocks import page_of
from tests.documents.play import World, play


async def main() -> int:
    """Play them one after the other; 1 when one of them failed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, default=Path("build/dev"))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("pages", type=Path, nargs="+")
    arguments = parser.parse_args()
    account = dict(line.split(": ", 1) for line in (arguments.home / "account").read_text().splitlines())
    credentials = Credentials(account["account"], account["password"], role="admin")
    world = World(
        home=arguments.home.resolve(),
        environment={},
        packages=sorted(arguments.home.resolve().glob("packages/*.rpm"), reverse=True),
        client=lambda: Client(os.environ["DSMT_PLANNER"], credentials),
    )
    failed = False
    for path in arguments.pages:
        began = time.monotonic()
        troubles = await play(page_of(path), world, arguments.work.resolve() / path.stem)
        said = [f"{path.stem}: {time.monotonic() - began:.1f} s", *troubles]
        sys.stdout.write("\n".join(said) + "\n")
        failed = failed or bool(troubles)
    return int(failed)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
