"""The broker's word that a node's connection has ended makes it suspect at once, and moves nothing.

In the broker's default virtual host: only there does the plug-in speak.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import broker
from broker.endings import node_connection
from broker.server.private import PrivateBroker
from broker.server.settings import VHOST
from dsmt_core.names import Host
from tests.integration.planner.conftest import Api, Site, joined

HOST = Host("n1.example.org")
WITHIN_S = 60.0


async def hints_are(api: Api, wanted: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while (said := (await api("GET", "/health"))["hints"]) != wanted:
        assert time.monotonic() < deadline, said
        await asyncio.sleep(0.1)


async def until_alive(api: Api) -> None:
    deadline = time.monotonic() + WITHIN_S
    while (node := await api("GET", f"/nodes/{HOST}"))["state"] != "alive":
        assert time.monotonic() < deadline, node
        await asyncio.sleep(0.1)


async def suspected(api: Api, site: Site) -> dict[str, Any]:
    """Forge the hint; the note that says that the node is suspect because of it.

    A beat right behind the hint speaks for the node before anybody has judged: it is forged again then.
    """
    deadline = time.monotonic() + WITHIN_S
    while True:
        forger = broker.connect(site.urls("operator"), name=node_connection(HOST))
        await forger.start(wait_s=WITHIN_S)
        began = time.time()
        await forger.close()
        for _ in range(20):
            notes = (await api("GET", f"/nodes/{HOST}"))["evidence"]
            for note in notes:
                if note["what"] == "suspect: its connection to the broker has ended":
                    # Two seconds are the aim on a machine that has nothing else to do.
                    assert note["when"] - began < 10
                    return dict(note)
            assert time.monotonic() < deadline, notes
            await asyncio.sleep(0.1)


async def test_a_node_is_suspect_at_once_and_a_forged_word_fails_nobody(
    site: Site, server: PrivateBroker
) -> None:
    site.urls = lambda user: server.url(user, VHOST)
    site.start()
    api = Api(site.url)
    await api.log_in()
    await hints_are(api, "heard")
    async with joined(api):
        await until_alive(api)
        assert (await suspected(api, site))["by"] == "tracker"
        await until_alive(api)
        told = (await api("GET", f"/nodes/{HOST}"))["evidence"]
        assert not [one for one in told if one["what"].startswith("failed")]
        assert [one["by"] for one in told if one["what"] == "its connection to the broker has ended"]
    await api.client.aclose()


async def test_a_broker_that_does_not_tell_is_said_once_and_the_planner_goes_on(api: Api) -> None:
    await hints_are(api, "this broker does not tell which connections end")
    assert (await api("GET", "/health"))["status"] == "ok"
