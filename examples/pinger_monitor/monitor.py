"""Table what the pingers publish, live: ``python examples/pinger_monitor/monitor.py``.

DSMT_OPERATOR_BROKER   the broker; ``dsmtc broker`` prints it
--count N              end when N instances have been seen
"""

import argparse
import asyncio
import contextlib
import os
from collections.abc import Mapping

from rich.live import Live
from rich.table import Table

import broker
from broker.application import Application
from dsmt_core.events import Event

CHANNEL = "/com/example/pinger/"
COLUMNS = ("rtt_ms", "sent", "lost", "targets")


def table(pingers: Mapping[str, Event], *, current: bool) -> Table:
    shown = Table("instance", *COLUMNS, title="pingers" if current else "pingers (the broker is away)")
    for instance, event in sorted(pingers.items()):
        shown.add_row(instance, *(event.pairs.get(name, "") for name in COLUMNS))
    return shown


def tell(pingers: Mapping[str, Event]) -> None:
    """What is new, where there is no terminal to draw on."""
    for instance, event in pingers.items():
        print(instance, event.text, flush=True)


async def main(count: int) -> None:
    async with broker.connected(os.environ["DSMT_OPERATOR_BROKER"]) as bus:
        async with Application(bus, "pinger_monitor").view(CHANNEL) as view:
            told: dict[str, Event] = {}
            with Live() as live:
                async for now in view.changes():
                    pingers = now.by_instance("rtt")
                    live.update(table(pingers, current=now.current))
                    if not live.console.is_terminal:
                        tell({name: event for name, event in pingers.items() if told.get(name) != event})
                        told = pingers
                    if count and len(pingers) >= count:
                        return


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--count", type=int, default=0)
# Ctrl-C is how it ends.
with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(main(parser.parse_args().count))
