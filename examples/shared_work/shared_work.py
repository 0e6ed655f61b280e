"""shared_work: many instances share standing work by reading one another's status; nobody is in charge.

Each instance says every period that it lives, reads who else does, does the items that are its own
(`sharing.share`), and publishes a result for each: the least number whose hash with the item's name begins
with ten zero bits. With the broker away it goes on with the items that it had.

Environment:
    DSMT_PSEPR           its credentials; DSMT sets it
    SHARED_WORK_ITEMS    how many items there are; 60 by default
    SHARED_WORK_PERIOD   seconds between two rounds; 1 by default
    SHARED_WORK_STATE    a file that is replaced after each round, for the status script
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from pathlib import Path

from sharing import share

from broker.application import Application, application
from broker.view import View
from dsmt_core.errors import DsmtError

CHANNEL = "/com/example/shared_work/"
STATUS, RESULTS = f"{CHANNEL}status/", f"{CHANNEL}results/"
# A status or a result holds for so many periods: one or two may be late or lost.
HOLDS = 4
ZERO_BITS = 10


def result(item: str) -> int:
    """What there is to be found out about ``item``."""
    number = 0
    while int.from_bytes(hashlib.sha256(f"{item} {number}".encode()).digest()[:4], "big") >> (
        32 - ZERO_BITS
    ):
        number += 1
    return number


class Worker:
    """One instance."""

    def __init__(self, me: Application, view: View) -> None:
        self._me = me
        self._view = view
        self._items = [f"item-{number}" for number in range(int(os.environ.get("SHARED_WORK_ITEMS", "60")))]
        self._period = float(os.environ.get("SHARED_WORK_PERIOD", "1"))
        self._mine: frozenset[str] = frozenset()
        self._hears_since: float | None = None

    async def run(self) -> None:
        """Work until it is ended."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self._say(STATUS, "alive", str(len(self._mine)))
            living = self._view.by_instance("alive")
            self._mine = share(
                self._items,
                living,
                self._me.instance,
                before=self._mine,
                heard=self._has_heard(loop.time()),
            )
            await asyncio.gather(
                *(self._say(RESULTS, item, str(result(item))) for item in sorted(self._mine))
            )
            save(f"{len(self._mine)} of {len(self._items)} items, {len(living)} instances")
            due = max(due + self._period, loop.time())
            await asyncio.sleep(due - loop.time())

    def _has_heard(self, now: float) -> bool:
        """Whether it has listened for two periods without a break."""
        if not self._view.current:
            self._hears_since = None
        elif self._hears_since is None:
            self._hears_since = now
        return self._hears_since is not None and now >= self._hears_since + 2 * self._period

    async def _say(self, channel: str, field: str, value: str) -> None:
        """Publish; what cannot be said now is said again in the next round."""
        try:
            await self._me.publish(
                channel, field, value, emit_rate=self._period, expiry=HOLDS * self._period
            )
        except DsmtError as error:
            print(f"{field} was not published: {error}", flush=True)


def save(text: str) -> None:
    """Replace the state file, if there is one."""
    if name := os.environ.get("SHARED_WORK_STATE"):
        Path(f"{name}.new").write_text(f"{text}\n", encoding="utf-8")
        Path(f"{name}.new").replace(name)


async def main() -> None:
    async with application(wait_s=0) as me, me.view(STATUS) as view:
        await Worker(me, view).run()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except DsmtError as error:
        sys.exit(f"shared_work: {error}")
