"""What trust costs: ``python -m benchmarks.trust --json``.

One broker with and without TLS and one planner, as processes. Told are microseconds of single checks, how
long it takes to let a hundred nodes in and to put one out, logins, and how many attacks of
``tests/attacks`` there are and were refused.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

import broker
from agents.container_manager import certificates, joining
from agents.container_manager.config import NodeConfig
from agents.container_manager.joining import Joined
from benchmarks.bus_rig import Rig
from broker.address import parse
from broker.bus import Bus, Link
from broker.certificates import Authority
from broker.parties import Kind, Party
from broker.server.ports import LOOPBACK
from broker.server.private import PrivateBroker
from broker.server.settings import Place
from dsmt_core.channels import ROOT, status_channel
from dsmt_core.ed25519 import Signer, verify
from dsmt_core.events import DEPLOYMENT_STATUS, Sender
from dsmt_core.names import DEPLOYMENT_AGENT, Host, Slice
from dsmt_core.rights import PSEPR, Arrival, refusal
from lab.processes import ProcessScene
from lab.scene import Scenery

_ORDER_BYTES: Final = 760
_SIGNATURES: Final = 1_000
_EVENTS: Final = 20_000
_TURNS: Final = 5
_NODES: Final = 100
_AT_ONCE: Final = 16
_LOGINS_S: Final = 5.0
_PASSWORD: Final = "of the bench alone"  # noqa: S105 - of a planner that lives for a minute


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trust", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-attacks", action="store_true", help="leave the attack suite out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        figures = asyncio.run(_measured(Path(directory)))
    if not arguments.no_attacks:
        figures |= _attacks()
    if arguments.json:
        print(json.dumps(figures, indent=1))
    else:
        print("\n".join(f"{name:24} {value}" for name, value in figures.items()))


async def _measured(folder: Path) -> dict[str, Any]:
    authority = Authority.made(datetime.now(UTC))
    place = Place(certified=authority.certify(LOOPBACK, datetime.now(UTC)))
    server = PrivateBroker(folder / "broker", place=place)
    async with server:
        figures = _checks() | await _tls(server, authority)
        scene = ProcessScene(Scenery(home=folder / "scene", hosts=(), password=_PASSWORD), server=server)
        # The server is this scene's alone, so its users are the planner's to keep.
        await scene.start()
        try:
            figures |= await _enrolled(scene, folder / "nodes")
            figures |= await asyncio.to_thread(_logins, scene)
        finally:
            await scene.stop()
    return figures


def _checks() -> dict[str, float]:
    """The receiver's check: of parties heard before, and of each for the first time."""
    parties = [
        Party(Kind.AGENT, Slice(f"slice{number % 10}"), Host(f"n{number}.example"))
        for number in range(1_000)
    ]
    told = []
    for party in parties:
        channel = status_channel(party.slice, DEPLOYMENT_AGENT, party.host)
        event = Sender("x", "x", "x").event(channel, DEPLOYMENT_STATUS, now=0.0, id_="0" * 32, pairs={})
        told.append((event, Arrival(PSEPR, event.key, party.user)))

    def check() -> float:
        began = time.perf_counter()
        for event, arrival in told:
            if refusal(event, arrival, ROOT):
                raise SystemExit("a good event was refused")
        return (time.perf_counter() - began) / len(told) * 1e6

    first = check()
    return _signatures() | {"receiver_check_us": _median(check), "receiver_check_first_us": round(first, 2)}


def _signatures() -> dict[str, float]:
    """An order's signature, and the check of it by a node."""
    signer, content = Signer(bytes(32)), bytes(_ORDER_BYTES)
    signature = signer.sign(content)

    def each(work: Callable[[], object]) -> float:
        began = time.perf_counter()
        for _ in range(_SIGNATURES):
            if not work():
                raise SystemExit("a good signature was refused")
        return (time.perf_counter() - began) / _SIGNATURES * 1e6

    return {
        "sign_us": _median(lambda: each(lambda: signer.sign(content))),
        "verify_us": _median(lambda: each(lambda: verify(signer.public, content, signature))),
    }


async def _tls(server: PrivateBroker, authority: Authority) -> dict[str, float]:
    """Confirmed events a second with TLS and without, in turns."""
    rates: dict[str, list[float]] = {"plain": [], "tls": []}
    urls = {"plain": server.planner_url, "tls": server.secure_url("planner", authority.der)}
    for _ in range(_TURNS):
        for name, url in urls.items():
            bus: Bus = broker.connect(url)
            await bus.start(wait_s=30)
            rig = Rig(server.planner_url, bus, _EVENTS)
            await rig.declare()
            rates[name].append(await rig.publish())
            await bus.close()
    plain, tls = (statistics.median(rates[name]) for name in ("plain", "tls"))
    return {"events_s_plain": round(plain), "events_s_tls": round(tls), "tls_ratio": round(tls / plain, 3)}


async def _enrolled(scene: ProcessScene, folder: Path) -> dict[str, float]:
    """A hundred nodes are enrolled at once; then one that is connected is excluded.

    Each as `dsmt-node` does it, with an invitation of its own: a key, a signed join, two certificates, a
    user of the broker, and all of it kept on disk.
    """
    hosts = [Host(f"n{number}.example") for number in range(_NODES)]

    def enrol(host: Host, token: str) -> Joined:
        config = NodeConfig(planner=scene.planner_url, host=host, data=folder / host, token=token)
        config.data.mkdir(parents=True)
        joined = joining.join(config)
        joining.remember(config.data, joined)
        return joined

    with scene.client() as client, ThreadPoolExecutor(_AT_ONCE) as pool:
        client.whoami()  # so that the login is over
        began = time.perf_counter()
        waiting = [pool.submit(enrol, one, client.invite(uses=1, hosts=one)["token"]) for one in hosts]
        answers = [one.result() for one in waiting]
        enrolled = time.perf_counter() - began
    if {parse(one.broker).user for one in answers} != {f"node.{host}" for host in hosts}:
        raise SystemExit("nodes got no users of their own")
    if not all(certificates.held(folder / host).fingerprint for host in hosts):
        raise SystemExit("nodes got no certificates")
    return {"enrol_100_s": round(enrolled, 2), "withdraw_s": await _withdrawn(scene, hosts[0], answers[0])}


async def _withdrawn(scene: ProcessScene, host: str, joined: Joined) -> float:
    bus = broker.connect(joined.broker)
    await bus.start(wait_s=30)
    began = time.perf_counter()

    def exclude() -> None:
        with scene.client() as client:
            client.stand("exclude", [host], said={"reason": "bench", "at_once": True})

    asked = asyncio.ensure_future(asyncio.to_thread(exclude))
    while bus.health.link is Link.CONNECTED:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.001)
    gone = time.perf_counter() - began
    await asked
    await bus.close()
    return round(gone, 3)


def _logins(scene: ProcessScene) -> dict[str, float]:
    """Logins with a right password, two at a time."""
    body = {"account": scene.scenery.admin, "password": _PASSWORD}

    def one(_: int) -> int:
        count, ends = 0, time.perf_counter() + _LOGINS_S
        with httpx.Client(base_url=scene.planner_url, timeout=60) as client:
            while time.perf_counter() < ends:
                client.post("/v1/login", json=body).raise_for_status()
                count += 1
        return count

    with ThreadPoolExecutor(2) as pool:
        return {"logins_per_s": round(sum(pool.map(one, range(2))) / _LOGINS_S, 1)}


def _attacks() -> dict[str, int]:
    """How many attacks there are, and how many were refused and harmed nobody."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/attacks", "-p", "no:cacheprovider"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error)", run.stdout)}
    return {"attacks": sum(counts.values()), "refused": counts.get("passed", 0)}


def _median(measure: Callable[[], float]) -> float:
    return round(statistics.median(measure() for _ in range(_TURNS)), 2)


if __name__ == "__main__":
    main()
