"""loaded: instances share a demand evenly, and each says how loaded it is.

Somebody says the demand on `/com/example/loaded/demand/` (how many instances' worth of work there is);
each instance hears how many others live, and so knows its part.

Environment:
    DSMT_PSEPR       its credentials; DSMT sets it
    LOADED_PERIOD    seconds between two looks; 1 by default
    LOADED_STATE     a file that is replaced after each look, for the status script
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from broker.application import application
from broker.view import View
from dsmt_core.errors import DsmtError

CHANNEL = "/com/example/loaded/"
LOAD = f"{CHANNEL}load/"
# A load holds for so many periods: one or two may be late or lost.
HOLDS = 4


def part(view: View, me: str) -> float:
    """The load of one instance: its even part of what is demanded."""
    demand = sum(float(event.text) for event in view.by_instance("demand").values())
    return demand / len({*view.by_instance("load"), me})


def save(text: str) -> None:
    """Replace the state file, if there is one."""
    if name := os.environ.get("LOADED_STATE"):
        Path(f"{name}.new").write_text(f"{text}\n", encoding="utf-8")
        Path(f"{name}.new").replace(name)


async def main(period: float) -> None:
    async with application(wait_s=0) as me, me.view(CHANNEL) as view:
        while True:
            load = part(view, me.instance)
            try:
                await me.publish(LOAD, "load", f"{load:.3f}", emit_rate=period, expiry=HOLDS * period)
            except DsmtError as error:
                print(f"the load was not published: {error}", flush=True)
            save(f"load={load:.3f}")
            await asyncio.sleep(period)


if __name__ == "__main__":
    try:
        asyncio.run(main(float(os.environ.get("LOADED_PERIOD", "1"))))
    except DsmtError as error:
        sys.exit(f"loaded: {error}")
