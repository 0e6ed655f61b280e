"""A service planner of one's own: it hears the load of the instances, and sets how many there are.

    export DSMT_OPERATOR_BROKER=$(dsmtc broker) DSMT_PASSWORD=…
    python examples/autoscaler/autoscaler.py --slice SLICE --user ACCOUNT

The loop is closed over DSMT: instances say their load on PsEPR, this program asks the planner for more or
fewer, the planner places them, and the load of each goes down or up.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os

from scaling import Aims, wish

import broker
from broker.application import Application
from broker.view import View
from dsmt_core.errors import DsmtError
from dsmtc.client import DEFAULT_PLANNER, Client, Credentials
from dsmtc.kit import Count, Guard

CHANNEL = "/com/example/loaded/load/"
AIMS = Aims(low=0.3, high=0.8)


def loads(view: View) -> list[float]:
    """The load of each instance that is heard."""
    return [float(event.text) for event in view.by_instance("load").values()]


async def scale(view: View, count: Count, period: float) -> None:
    """Look and wish, for ever."""
    while True:
        # A view that is not current says nothing of who is missing.
        if view.current:
            try:
                await asyncio.to_thread(once, count, loads(view))
            except DsmtError as error:
                print(f"later: {error}", flush=True)
        await asyncio.sleep(period)


def once(count: Count, heard: list[float]) -> None:
    current = count.now()
    wished = wish(heard, current, AIMS)
    ruled = count.wish(wished)
    if ruled.count != current:
        print(f"{current} -> {ruled.count}, wished {wished}: {ruled.reason or 'granted'}", flush=True)


async def main(asked: argparse.Namespace) -> None:
    guard = Guard(least=asked.least, most=asked.most, step=asked.step, cool_down_s=asked.cool_down)
    credentials = Credentials(asked.user, os.environ["DSMT_PASSWORD"])
    with Client(asked.planner, credentials) as client:
        count = Count(client, asked.slice, guard)
        async with broker.connected(os.environ["DSMT_OPERATOR_BROKER"]) as bus:
            async with Application(bus, "autoscaler").view(CHANNEL) as view:
                await scale(view, count, asked.period)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--slice", required=True)
parser.add_argument("--user", required=True)
parser.add_argument("--planner", default=os.environ.get("DSMT_PLANNER", DEFAULT_PLANNER))
parser.add_argument("--least", type=int, default=1)
parser.add_argument("--most", type=int, default=10)
parser.add_argument("--step", type=int, default=1)
parser.add_argument("--cool-down", type=float, default=30.0, help="seconds")
parser.add_argument("--period", type=float, default=5.0, help="seconds between two looks")

if __name__ == "__main__":
    # Ctrl-C is how it ends.
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(parser.parse_args()))
