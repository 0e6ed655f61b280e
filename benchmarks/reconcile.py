"""How long does a round take in a great fleet? ``python -m benchmarks.reconcile --json``.

No sockets; Python looks for cycles as seldom as in the program. Times are of the processor (one thread), so
that what else the machine does counts little; the load is told beside them. They are medians of several
turns, except of what is done once.

* ``reconcile_ms``: one in a hundred nodes has said that its application failed (or runs again), one round;
* ``replace_ms``: one in a hundred has failed, the round that replaces them; ``commit_ms`` stores it;
* ``full_round_ms``: a round over everything, which finds nothing to do;
* ``fold_events_per_s``: reports of a deployment, from bytes to the fleet: decoded, checked as every
  receiver does, told apart from requests, folded;
* ``recover_s``: rows out of the database, one heartbeat and one report of each, and rounds, until seen is
  whole again; ``spurious_orders`` are those of them that asked for more than a report.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection

from benchmarks.reconcile_rig import PERIOD_S, SLICE, Rig, message
from broker.reading import Message
from dsmt_core.commands import Verb
from dsmt_core.lifecycle import State
from dsmt_core.names import Account
from planner import collector
from planner.fleet import NodeState
from planner.reconcile import SentOrders
from planner.reconcile.needs import AGENT_S
from planner.steps import Round
from planner.store import Database, nodes, slices, wanted
from planner.store.database import sqlite_url
from planner.store.nodes import Joined
from planner.store.slices import NewSlice

GROWTH = (1_000, 10_000)
TURNS = 9


def timed(work: Callable[[], object]) -> float:
    """Seconds of the processor."""
    began = time.process_time()
    work()
    return time.process_time() - began


class Measured:
    """One fleet, deployed, and what is measured of it."""

    def __init__(self, count: int) -> None:
        self.count = count
        collector.rest()
        self.rig = Rig(count)
        self.rig.join()
        collector.work()
        self.figures: dict[str, float] = {}

    def deploy(self) -> None:
        """From nothing to running; the reports are timed as they are folded."""
        seconds, folded = 0.0, 0
        for _ in range(10):
            self.rig.now += 0.1
            round_ = self.rig.round()
            messages = self.rig.obeyed(round_.orders)
            if not messages:
                break
            seconds += timed(lambda some=messages: self.rig.fold(some))  # type: ignore[misc]
            folded += len(messages)
        self.figures["fold_events_per_s"] = round(folded / seconds)

    def rounds(self, turns: int) -> None:
        """Rounds after little has changed, and over everything."""
        took: list[float] = []
        full: list[float] = []
        for turn in range(turns):
            state = (State.FAILED, State.RUNNING)[turn % 2]
            some = [node for node in list(self.rig.nodes.values())[::100] if node.held]
            self.rig.fold(message(node.status(state)) for node in some)
            self.rig.now += 0.1
            took.append(timed(self.rig.round))
        full += [timed(lambda: self.rig.round(full=True)) for _ in range(max(turns // 3, 1))]
        self.figures["reconcile_ms"] = round(statistics.median(took) * 1e3, 1)
        self.figures["full_round_ms"] = round(statistics.median(full) * 1e3, 1)

    def recover(self, home: Path) -> None:
        """A planner starts again beside nodes that have gone on."""
        database = Database(sqlite_url(home))
        try:
            self._stored(database)
            self.rig.begin()
            collector.rest()
            self.figures["recover_s"] = round(self._recovered(database), 2)
        finally:
            collector.work()
            database.close_now()

    def replace(self, home: Path) -> None:
        """One node in a hundred fails."""
        database = Database(sqlite_url(home))
        try:
            for host in list(self.rig.nodes)[5::100]:
                self.rig.fleet.judge(host, NodeState.FAILED)
            self.rig.now += 0.1
            rounds, known = [], self.rig.wanted.slices
            self.figures["replace_ms"] = round(timed(lambda: rounds.append(self.rig.round())) * 1e3, 1)
            changes = rounds[0].changes
            stored = timed(lambda: database.write_now(wanted.commit, changes, known))
            self.figures["commit_ms"] = round(stored * 1e3, 1)
        finally:
            database.close_now()

    def _stored(self, database: Database) -> None:
        """As the planner would have left it."""
        rig = self.rig

        def join(connection: Connection) -> None:
            for host in rig.nodes:
                nodes.join(connection, Joined(host, "claim", "boot", 0.0))

        database.write_now(slices.make, NewSlice(slice=SLICE, owner=Account("bench")))
        database.write_now(join)
        database.write_now(wanted.store_placements, rig.slice)
        # Nothing was written behind until now, so these are all rows.
        database.write_now(nodes.write_behind, rig.fleet.take_rows())

    def _recovered(self, database: Database) -> float:
        """Seconds of the planner; what the nodes do in between is not counted."""
        rig, spurious, seconds = self.rig, 0, timed(lambda: self._load(database))
        for turn in range(20):
            if turn == 1:
                beats = [message(node.beat()) for node in rig.nodes.values()]
                seconds += timed(lambda some=beats: self._beat(some))  # type: ignore[misc]
            # An agent is asked when it could have spoken by itself.
            rig.now += AGENT_S + 1 if turn == 2 else 0.1
            rounds: list[Round] = []
            seconds += timed(lambda at=turn, out=rounds: out.append(rig.round(full=at == 0)))  # type: ignore[misc]
            spurious += sum(order.verb is not Verb.REPORT for order in rounds[0].orders)
            spurious += len(rounds[0].changes)
            said = rig.obeyed(rounds[0].orders)
            seconds += timed(lambda some=said: rig.fold(some))  # type: ignore[misc]
            if turn > 2 and not said:
                break
        slivers = [rig.fleet.sliver(SLICE, host) for host in rig.slice.hosts]
        if not all(sliver is not None and sliver.fresh for sliver in slivers):
            raise SystemExit("not all slivers are known again")
        self.figures["spurious_orders"] = spurious
        return seconds

    def _load(self, database: Database) -> None:
        """As `planner.main` does: without looking for garbage meanwhile."""
        gc.disable()
        try:
            self._take_over(database)
        finally:
            gc.freeze()
            gc.enable()

    def _take_over(self, database: Database) -> None:
        rig = self.rig
        stored = database.write_now(wanted.load_wanted).slices[SLICE]
        if stored.hosts != rig.slice.hosts or set(stored.placements) != set(rig.slice.placements):
            raise SystemExit("the database has lost something of what is wanted")
        rig.fleet.load(database.write_now(nodes.load_seen), now=rig.now)
        for joined in database.write_now(nodes.listed):
            rig.fleet.join(joined.host, now=rig.now, period=PERIOD_S)
        rig.sent = SentOrders()

    def _beat(self, beats: list[Message]) -> None:
        self.rig.hear(beats)
        for host in self.rig.nodes:
            self.rig.fleet.judge(host, NodeState.ALIVE)


def measure(count: int, turns: int) -> dict[str, float]:
    """All figures of a fleet of so many nodes."""
    measured = Measured(count)
    measured.deploy()
    measured.rounds(turns)
    with tempfile.TemporaryDirectory(prefix="dsmt-bench-") as home:
        measured.recover(Path(home))
        measured.replace(Path(home))
    return measured.figures


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="for other benchmarks' sake; it is always JSON")
    parser.add_argument("--nodes", type=int, nargs="*", default=GROWTH, help="sizes of fleets")
    parser.add_argument("--turns", type=int, default=TURNS)
    options = parser.parse_args()
    grown = {str(count): measure(count, options.turns) for count in options.nodes}
    print(json.dumps({"load1": round(os.getloadavg()[0], 1), "nodes": grown}))


if __name__ == "__main__":
    main()
