"""A planner that shows a crowd: thousands of nodes that nobody runs, to look at its page and to measure it.

Nothing is decided and nothing ordered: the planner is opened and not started, its fleet is filled by the
events that nodes would have sent, and goes on changing as they would have it.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsmt_core.channels import Channel, facts_channel, status_channel
from dsmt_core.errors import Invalid
from dsmt_core.events import DEPLOYMENT_STATUS, Event, Sender
from dsmt_core.lifecycle import State
from dsmt_core.names import (
    DEPLOYMENT_AGENT,
    SLIVER_BOOTSTRAP,
    SLIVER_MGR,
    Application,
    Host,
    PlanName,
    Slice,
)
from dsmt_core.nodes import FACTS, HOLDINGS, sliver_pairs
from planner.api import create_app
from planner.config import PlannerConfig
from planner.fleet import NodeState
from planner.service.http import HttpServer, listening
from planner.service.planner import Planner
from planner.setup import initialise
from planner.viewer import add_viewer
from planner.wanted import Placement, Wanted, WantedApplication, WantedSlice

SLICE: Final = Slice("crowd")
APP: Final = Application("pinger")
VERSION: Final = "1.8-1"
_SENDER: Final = Sender("crowd", "crowd/lab", secrets.token_hex(4))
# Where people live, roughly: latitude, longitude, name.
SITES: Final = (
    (35.7, 139.7, "tokyo"), (48.9, 2.4, "paris"), (-12.0, -77.0, "lima"), (59.9, 10.8, "oslo"),
    (5.6, -0.2, "accra"), (40.7, -74.0, "newyork"), (37.4, -122.1, "stanford"), (47.6, -122.3, "seattle"),
    (51.5, -0.1, "london"), (52.5, 13.4, "berlin"), (40.4, -3.7, "madrid"), (41.9, 12.5, "rome"),
    (55.8, 37.6, "moscow"), (39.9, 116.4, "beijing"), (31.2, 121.5, "shanghai"), (22.3, 114.2, "hongkong"),
    (1.3, 103.8, "singapore"), (-6.2, 106.8, "jakarta"), (28.6, 77.2, "delhi"), (19.1, 72.9, "mumbai"),
    (-33.9, 151.2, "sydney"), (-36.8, 174.8, "auckland"), (-23.5, -46.6, "saopaulo"),
    (-34.6, -58.4, "buenosaires"),
    (19.4, -99.1, "mexico"), (45.5, -73.6, "montreal"), (30.0, 31.2, "cairo"), (-1.3, 36.8, "nairobi"),
    (-26.2, 28.0, "johannesburg"), (25.2, 55.3, "dubai"), (41.0, 29.0, "istanbul"), (37.6, 127.0, "seoul"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What the planner of a crowd tells its caller.

    Attributes:
        url: of the planner.
        planner: itself; its loop is the caller's.
    """

    url: str
    planner: Planner
    hosts: tuple[Host, ...]

    def judge(self, host: Host, state: NodeState) -> None:
        """Have a node judged so."""
        self.planner.fleet.judge(host, state)

    def say(self, host: Host, state: State, **pairs: str) -> None:
        """Have the application of a node in this state."""
        self._fold(
            _status(host, DEPLOYMENT_AGENT, state, managed=APP, version=VERSION, generation="1", **pairs)
        )

    async def change(self, per_second: float) -> None:
        """Have applications fail and run again, so many events a second, for ever."""
        draw = random.Random(7)  # noqa: S311 - a picture, no secret
        loop = asyncio.get_running_loop()
        begun, said = loop.time(), 0
        while True:
            while said < (loop.time() - begun) * per_second:
                host = draw.choice(self.hosts)
                seen = self.planner.fleet.sliver(SLICE, host)
                fails = (
                    said % 10 == 0 and seen is not None and seen.applications[APP].state is State.RUNNING
                )
                self.say(
                    host,
                    State.FAILED if fails else State.RUNNING,
                    reason="it ended with 1" if fails else "",
                )
                said += 1
            await asyncio.sleep(0.02)

    def _fold(self, event: Event) -> None:
        refused = self.planner.fleet.fold(event, now=time.time())
        if refused:
            raise Invalid(refused)


@asynccontextmanager
async def crowd(
    home: Path, *, nodes: int, admin: str, password: str, port: int = 0
) -> AsyncIterator[Crowd]:
    """A planner with its page and so many nodes, until the block ends.

    Args:
        home: an empty directory.
        nodes: how many.
        admin: its first account.
        password: of it.
        port: where it listens on 127.0.0.1; 0 takes a free one.
    """
    bus = f"memory://planner@{secrets.token_hex(4)}"
    config = PlannerConfig(data=home, broker=bus, node_broker=bus, depot="http://127.0.0.1:1")
    await asyncio.to_thread(initialise, config, admin, password)
    planner = await Planner.open(config)
    try:
        await planner.bus.start(wait_s=5)
        hosts = tuple(_fill(planner, nodes))
        app = create_app(planner)
        feed = add_viewer(app, planner)
        server = HttpServer(app, listening("127.0.0.1", port))
        await server.start()
        try:
            yield Crowd(url=server.url, planner=planner, hosts=hosts)
        finally:
            feed.end()
            await server.close()
    finally:
        await planner.close()


def _fill(planner: Planner, nodes: int) -> Iterator[Host]:
    draw = random.Random(1)  # noqa: S311
    hosts = [Host(f"node{number}.{SITES[number % len(SITES)][2]}.example") for number in range(nodes)]
    _want(planner, hosts)
    now = time.time()
    for number, host in enumerate(hosts):
        latitude, longitude, site = SITES[number % len(SITES)]
        planner.fleet.join(host, now=now)
        planner.fleet.judge(host, NodeState.ALIVE)
        for event in _told(host, site, latitude + draw.gauss(0, 1.2), longitude + draw.gauss(0, 1.6)):
            planner.fleet.fold(event, now=now - draw.uniform(0, 86_400))
        yield host


def _want(planner: Planner, hosts: list[Host]) -> None:
    application = WantedApplication(name=APP, wrapper="dsmtw_pinger", version=VERSION, packages=())
    wanted = WantedSlice(
        name=SLICE,
        managed=True,
        generation=1,
        plan=PlanName("all_nodes"),
        applications={APP: application},
        hosts=dict.fromkeys(hosts, 1),
        placements=tuple(
            Placement(slice=SLICE, host=host, application=APP, version=VERSION, generation=1)
            for host in hosts
        ),
    )
    # Not through the database: nothing of a crowd lasts.
    planner.ledger._wanted = Wanted({SLICE: wanted})  # noqa: SLF001


def _told(host: Host, site: str, latitude: float, longitude: float) -> Iterator[Event]:
    place = {"latitude": f"{latitude:.3f}", "longitude": f"{longitude:.3f}", "site": site}
    yield _event(facts_channel(host), FACTS, {"hostname": host, "cpus": "4", **place})
    yield _event(facts_channel(host), HOLDINGS, {"hostname": host, **sliver_pairs({SLICE: 1})})
    yield _status(host, SLIVER_MGR, State.RUNNING)
    yield _status(host, SLIVER_BOOTSTRAP, State.RUNNING)
    yield _status(host, DEPLOYMENT_AGENT, State.RUNNING, managed=APP, version=VERSION, generation="1")


def _status(host: Host, component: str, state: State, **pairs: str) -> Event:
    channel = status_channel(SLICE, component, host)
    return _event(channel, DEPLOYMENT_STATUS, {"hostname": host, "status": state.value, **pairs})


def _event(channel: Channel, field: str, pairs: dict[str, str]) -> Event:
    return _SENDER.event(channel, field, now=time.time(), id_=secrets.token_hex(8), pairs=pairs)
