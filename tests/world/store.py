"""What is committed in the simulated world, and what the laws remember beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from dsmt_core.names import Host, Slice
from planner.failed_nodes import Misfit, Misfits, Past
from planner.failed_nodes.misfit import Place
from planner.fleet import Fleet, NodeState, SeenRow
from planner.steps import Round, SliceChange, Waiting
from planner.wanted import Wanted, WantedSlice

AWAY = frozenset({NodeState.FAILED, NodeState.PROBATION})


@dataclass(slots=True)
class Store:
    """Wanted, the nodes that joined, and (old by then) what was seen.

    Attributes:
        answered: each slice as people were told that it is now.
        moved_away: hosts that were taken away because they had failed, until they have given up what
            they hold.
        amnesty: those of them whose verdict a crash of the planner took with it.
        asked: slices that people have changed, until a round carries that out.
        carried: those for which the last round did.
        unread: the same until a round has looked at them.
        older: an older copy, from which the database may be restored.
        restored: it was; then the number of instances may be wrong until everything is as wanted again.
    """

    wanted: Wanted
    nodes: list[Host]
    rows: dict[tuple[Host, Slice], SeenRow] = field(default_factory=dict)
    pasts: dict[Host, Past] = field(default_factory=dict)
    misfits: dict[Place, Misfit] = field(default_factory=dict)
    answered: dict[Slice, WantedSlice] = field(default_factory=dict)
    moved_away: set[tuple[Slice, Host]] = field(default_factory=set)
    amnesty: set[tuple[Slice, Host]] = field(default_factory=set)
    asked: set[Slice] = field(default_factory=set)
    carried: set[Slice] = field(default_factory=set)
    unread: set[Slice] = field(default_factory=set)
    older: Store | None = None
    restored: bool = False

    def keep(self, slice_: WantedSlice) -> None:
        """Store a slice."""
        self.wanted = replace(self.wanted, slices={**self.wanted.slices, slice_.name: slice_})

    def commit(self, change: SliceChange, seen: Fleet) -> None:
        """Store what a round has changed."""
        before = self.wanted.slices[change.slice]
        left = before.hosts.keys() - change.hosts.keys()
        # Also what had left before it failed: its failure is what made room for another.
        away = {host for host in left | change.retired.keys() if is_away(seen, host)}
        away |= left & seen.fits(change.slice).out.keys()
        gone = before.retired.keys() - change.retired.keys()
        self.moved_away -= {(change.slice, host) for host in gone | change.hosts.keys()}
        self.moved_away |= {(change.slice, host) for host in away}
        self.amnesty &= self.moved_away
        self.keep(change.applied(before))

    def agree(self, name: Slice, waiting: Iterable[Waiting]) -> bool:
        """People agree to all of this that waits for them; whether anything does."""
        hosts = frozenset(one.host for one in waiting if one.to_agree)
        if hosts:
            slice_ = self.wanted.slices[name]
            self.keep(replace(slice_, restraint=replace(slice_.restraint, agreed=hosts)))
        return bool(hosts)

    def forget(self, host: Host) -> None:
        """A node is no more; nor is what was said and seen of it."""
        self.nodes.remove(host)
        standings = {of: one for of, one in self.wanted.standings.items() if of != host}
        self.wanted = replace(self.wanted, standings=standings)
        self.rows = {place: row for place, row in self.rows.items() if place[0] != host}
        self.misfits = {place: one for place, one in self.misfits.items() if place[1] != host}
        self.pasts.pop(host, None)

    def write(self, seen: Fleet, misfits: Misfits) -> None:
        """Write down what was seen, and who does not suit which slice."""
        for row in seen.take_rows():
            self.rows[row.host, row.slice] = row
        for place, one in misfits.take_rows().items():
            self.misfits.pop(place, None)
            if one is not None:
                self.misfits[place] = one

    def settle(self, round_: Round) -> None:
        """What people asked for is carried out by the first round that looks at it."""
        self.unread -= round_.looked_at
        self.carried = self.asked & round_.looked_at
        self.asked -= round_.looked_at

    def copy(self) -> None:
        """Somebody makes a copy of the database."""
        self.older = Store(
            self.wanted,
            list(self.nodes),
            dict(self.rows),
            dict(self.pasts),
            dict(self.misfits),
            answered=dict(self.answered),
        )

    def restore(self) -> None:
        """The database is lost, and restored from the copy."""
        if self.older is None:
            return
        older = self.older
        self.wanted, self.nodes, self.rows = older.wanted, list(older.nodes), dict(older.rows)
        self.pasts, self.misfits = dict(older.pasts), dict(older.misfits)
        self.answered = dict(older.answered)
        self.asked |= self.wanted.slices.keys()
        self.moved_away.clear()
        self.amnesty.clear()
        self.restored = True


def is_away(seen: Fleet, host: Host) -> bool:
    """Whether a host does not count as one of the living: it failed, or a person has forgotten it."""
    return seen.state(host) in AWAY or host in seen.forgotten
