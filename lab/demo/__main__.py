"""``python -m lab.demo [--broker auto|rabbitmq|embedded]``; what it leaves is in ``build/demo``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import sys
from pathlib import Path

from dsmt_core.errors import DsmtError
from lab.choice import BROKERS, scene_of
from lab.demo.play import Play
from lab.demo.report import Report
from lab.demo.story import Story
from lab.home import made_anew
from lab.monitor import Monitor
from lab.scene import Scenery

INTERRUPTED = 130
CLOSED_PIPE = 141


def main() -> int:
    """Play the demo; the exit code is that of the first error, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m lab.demo", description=__doc__)
    parser.add_argument("--broker", choices=BROKERS, default="auto")
    parser.add_argument("--home", type=Path, default=Path("build/demo"), help="made anew")
    parser.add_argument("--tarball", type=Path, default=Path("examples/pinger-1.8.tgz"))
    arguments = parser.parse_args()
    try:
        return asyncio.run(_interruptible(arguments))
    except BrokenPipeError:
        # Whoever read along has gone; the scene was cleared all the same. Nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except DsmtError as error:
        print(f"demo: {error}", file=sys.stderr)
        if error.hint:
            print(f"demo: {error.hint}", file=sys.stderr)
        return error.exit_code


async def _interruptible(arguments: argparse.Namespace) -> int:
    """SIGINT and SIGTERM end the play, and the scene is cleared all the same."""
    play = asyncio.create_task(_demo(arguments))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, play.cancel)
    try:
        await play
    except asyncio.CancelledError:
        print("demo: interrupted; everything that it started has been ended", file=sys.stderr)
        return INTERRUPTED
    return 0


async def _demo(arguments: argparse.Namespace) -> None:
    story, report = Story(), Report()
    home = made_anew(arguments.home)
    scenery = Scenery(home=home, password=secrets.token_urlsafe(12))
    scene = scene_of(arguments.broker, scenery)
    report.broker = scene.broker
    story.chapter(f"{len(scenery.hosts)} nodes, a planner and a broker ({scene.broker}) on this machine")
    try:
        await scene.start()
        story.note("all of them answer")
        journal = home / "events.jsonl"
        async with Monitor(scene.operator_url, journal=journal, on_event=story.event) as monitor:
            play = Play(scene, scenery, monitor, story=story, report=report, tarball=arguments.tarball)
            await play.perform()
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(scene.stop())
    report.demo_s = round(story.elapsed_s, 1)
    report.write(home / "report.json")
    story.chapter("Summary")
    for line in report.lines():
        story.note(line)
    story.note(f"every event is in {journal}, the figures are in {home / 'report.json'}")


if __name__ == "__main__":
    sys.exit(main())
