"""``dsmtc swarm``: a simulated fleet, to size an installation before it is built.

Without ``--planner`` it starts a broker, a planner and a depot of its own, lets the nodes join, deploys an
application on nine of ten, and tells how long that took and what it cost. With ``--planner`` the nodes join
an installation that runs, and do what people there ask of them. Ctrl-C ends all of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any, Final

from dsmt_core.errors import DsmtError, Invalid
from dsmt_core.names import Host
from lab.home import made_anew
from lab.swarm.lines import KINDS, REAL, check_descriptors
from lab.swarm.story import Story
from lab.swarm.swarm import Swarm, hosts
from lab.swarm.trial import Size, Trial

_TOKEN: Final = "DSMT_NODE_TOKEN"  # noqa: S105 - the name of a variable
_MOST: Final = 100_000
INTERRUPTED: Final = 130


def main() -> int:
    """Run; the exit code."""
    arguments = _arguments()
    try:
        return asyncio.run(_interruptible(arguments))
    except DsmtError as error:
        hint = [f"  {error.hint}"] if error.hint else []
        print(f"dsmtc swarm: {error.message}", *hint, sep="\n", file=sys.stderr)
        return error.exit_code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dsmtc swarm", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=100, help="how many")
    parser.add_argument("--connections", choices=KINDS, default=REAL, help="one for each part, or shared")
    parser.add_argument("--planner", default="", help="URL of one that runs; its invitation in " + _TOKEN)
    parser.add_argument("--heartbeat", type=float, default=10.0, help="seconds; of the swarm's own planner")
    parser.add_argument("--kill", type=int, default=0, metavar="K", help="K nodes lose their power")
    parser.add_argument("--silence", type=int, default=0, metavar="K", help="K nodes hang, connected")
    parser.add_argument("--crash", type=int, default=0, metavar="K", help="applications of K nodes die")
    parser.add_argument("--within", type=float, default=600.0, help="seconds that each step may take")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long it stays; 0: until Ctrl-C")
    parser.add_argument("--home", type=Path, default=Path("build/swarm"), help="made anew")
    parser.add_argument("--json", action="store_true", help="the figures as JSON on stdout")
    return parser.parse_args()


async def _interruptible(arguments: argparse.Namespace) -> int:
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: me and me.cancel())
    try:
        _check(arguments)
        await (_guests(arguments) if arguments.planner else _own(arguments))
    except asyncio.CancelledError:
        return INTERRUPTED
    return 0


def _check(arguments: argparse.Namespace) -> None:
    if not 1 <= arguments.nodes <= _MOST:
        raise Invalid(f"--nodes {arguments.nodes} is not a number of nodes", hint=f"from 1 to {_MOST}")
    if min(arguments.kill, arguments.silence, arguments.crash) < 0:
        raise Invalid("--kill, --silence and --crash take numbers from 0")
    check_descriptors(arguments.nodes, arguments.connections)


async def _guests(arguments: argparse.Namespace) -> None:
    """Nodes of an installation that runs."""
    token = os.environ.get(_TOKEN, "")
    if not token:
        raise Invalid(f"no invitation is given in {_TOKEN}", hint="an admin makes one: dsmtc nodes invite")
    swarm = Swarm(arguments.planner.rstrip("/"), token, connections=arguments.connections)
    story = Story(swarm.tally)
    telling = asyncio.create_task(story.tell())
    try:
        await swarm.start(hosts(arguments.nodes))
        story.say("all nodes are connected")
        await _befall(swarm, hosts(arguments.nodes), arguments, story)
        await _stay(arguments.seconds)
    finally:
        telling.cancel()
        await asyncio.shield(swarm.close())


async def _own(arguments: argparse.Namespace) -> None:
    """An installation of its own."""
    count = arguments.nodes
    size = Size(
        nodes=count,
        instances=max(count * 9 // 10, 1),
        heartbeat_s=arguments.heartbeat,
        connections=arguments.connections,
    )
    trial = Trial(made_anew(arguments.home), size)
    print(f"starting a broker and a planner in {arguments.home} …", file=sys.stderr)
    try:
        await trial.start()
        story = Story(trial.swarm.tally, trial)
        telling = asyncio.create_task(story.tell())
        try:
            figures = await _tried(trial, arguments, story)
            if arguments.json:
                print(json.dumps(figures), flush=True)
            await _stay(arguments.seconds)
        finally:
            telling.cancel()
    finally:
        await asyncio.shield(trial.stop())


async def _tried(trial: Trial, arguments: argparse.Namespace, story: Story) -> dict[str, Any]:
    figures: dict[str, Any] = {"nodes": trial.size.nodes, "instances": trial.size.instances}
    figures["connect_s"] = round(await trial.connect(), 2)
    story.say(f"all nodes connected after {figures['connect_s']} s")
    before = trial.planner()
    figures["deploy_s"] = round(await trial.deploy(arguments.within), 2)
    used = trial.planner()
    figures |= {
        "planner_cpu_s": round(used.cpu_s - before.cpu_s, 2),
        "planner_rss_mb": round(used.rss_mb, 1),
        "broker_rss_mb": round(trial.broker().rss_mb, 1),
    }
    story.say(f"{trial.size.instances} instances ran {figures['deploy_s']} s after setplan: {figures}")
    running = [host for host, _, _ in trial.running]
    if await _befall(trial.swarm, running, arguments, story):
        await trial.until(
            lambda: len(trial.running) >= trial.size.instances, "all run again", arguments.within
        )
        story.say("all instances run again")
    return figures


async def _befall(swarm: Swarm, among: list[Host], arguments: argparse.Namespace, story: Story) -> bool:
    """Have some of these nodes killed, silenced and crashed, as asked; whether any was."""
    asked = arguments.kill + arguments.silence + arguments.crash
    chosen = random.sample(among, min(asked, len(among)))
    killed, rest = chosen[: arguments.kill], chosen[arguments.kill :]
    for host in killed:
        await swarm.kill(host)
    for host in rest[: arguments.silence]:
        swarm.silence(host)
    crashed = sum(swarm.crash(host) for host in rest[arguments.silence :])
    if chosen:
        story.say(f"killed {len(killed)}, silenced {len(rest[: arguments.silence])}, crashed {crashed}")
    return bool(chosen)


async def _stay(seconds: float) -> None:
    await asyncio.sleep(seconds) if seconds > 0 else await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
