"""Standings: people take nodes out of service and give them back; and how far that is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any, Final

from dsmt_core.names import Host, PlanName, Slice
from planner.outlook import world_of_nobody
from planner.plans import check_in_force, evaluate
from planner.service.means import Means, Watched
from planner.standing import IN_SERVICE, Bar, Kind, Standing, Verb, Wish, bar_of, wished, written_standing
from planner.steps import Waiting
from planner.wanted import WantedSlice

IN: Final = "in service"
DRAINED: Final = "drained"
DISTRUSTED: Final = "distrusted"
STANDING: Final = "standing"
"""The fact of a node that is this word, in conditions about nodes."""


class Standings:
    """What people want of nodes.

    Args:
        means: where it is kept, and what time it is.
        watched: what is seen: what a node still holds; and who judges nodes.
        waiting: what the last round about a slice held back.
    """

    def __init__(
        self, means: Means, watched: Watched, *, waiting: Callable[[Slice], Iterable[Waiting]]
    ) -> None:
        self._ledger = means.ledger
        self._clock = means.clock
        self._fleet = watched.fleet
        self._tracker = watched.tracker
        self._waiting = waiting

    async def say(self, hosts: Collection[Host], said: Wish) -> list[dict[str, Any]]:
        """Have a verb stored for all of these nodes, or for none. Returns how each stands afterwards.

        Raises:
            NotFound: one of them is not there.
            Invalid, Full, Conflict: of `planner.standing.wished`.
        """
        before = self._ledger.wanted.standings
        await self._ledger.stand(hosts, said, now=self._clock())
        after = self._ledger.wanted.standings
        if said.verb is Verb.TRUST:
            for host in hosts:
                self._tracker.trusted(host, said.mark)
        return [
            {"host": host, "changed": before.get(host) != after.get(host), "standing": self.shown(host)}
            for host in sorted(hosts)
        ]

    def foresee(self, hosts: Collection[Host], said: Wish) -> list[dict[str, Any]]:
        """How these nodes stand, if a verb could be said of all of them; nothing is changed.

        Raises:
            Invalid, Full, Conflict: of `planner.standing.wished`.
        """
        now, standings = self._clock(), self._ledger.wanted.standings
        for host in hosts:
            wished(standings.get(host, IN_SERVICE), said, now)
        return [{"host": host, "changed": False, "standing": self.shown(host)} for host in hosts]

    def shown(self, host: Host) -> dict[str, Any]:
        """How a node stands: in a word, in a sentence, what is still there, and all that was said."""
        now = self._clock()
        standing = self._ledger.wanted.standings.get(host, IN_SERVICE)
        bar = bar_of(standing, now)
        left = self._left(host, bar) if bar is not None and bar.leaves else []
        return {
            "state": _word(standing, bar, left),
            "sentence": _sentence(standing, bar),
            "late": bar is not None and bar.late,
            "left": left,
            **written_standing(standing),
        }

    def is_distrusted(self, host: Host) -> bool:
        """Whether people say that it is broken: it has failed then, and may live on all the same."""
        return bool(self._ledger.wanted.standings.get(host, IN_SERVICE).distrusted)

    def satisfying(self, where: str) -> set[Host]:
        """The nodes of which a condition is true; how a node stands can be asked for like a fact.

        By the function of plans, in no slice. Plans themselves never see who is out of service.

        Raises:
            Invalid: it cannot be understood.
            NotFound: it asks for a fact that no node has told.
        """
        function, parameters = PlanName("where"), {"expr": where}
        told = self._fleet.ground
        ground = told.with_texts(STANDING, self._words(), IN)
        # How a node stands is always known; what else there will be is not, before any node has told.
        check_in_force(function, parameters, {}, known=ground if told.told else None)
        world = replace(world_of_nobody(self._fleet), ground=ground)
        return set(evaluate(function, parameters, {}, world).hosts)

    def _words(self) -> dict[Host, str]:
        """Every node that is out of service, with the word for it."""
        return {host: str(self.shown(host)["state"]) for host in self._ledger.wanted.standings}

    def _left(self, host: Host, bar: Bar) -> list[dict[str, str]]:
        """The slices that have not left a node, and why not yet."""
        return [
            {"slice": one.name, "reason": self._why(one, host, bar)}
            for one in self._ledger.wanted.slices.values()
            if host in one.hosts or host in one.retired or self._fleet.held(one.name, host) is not None
        ]

    def _why(self, slice_: WantedSlice, host: Host, bar: Bar) -> str:
        if not slice_.managed:
            return "the slice is not managed, so nothing of it is stopped"
        reasons = [one.reason for one in self._waiting(slice_.name) if one.host == host]
        # The node's own sentence is told once, above what each slice waits for.
        said = bar.sentence
        return next((reason.partition(f"{said}, but ")[2] or reason for reason in reasons), "it is leaving")


def _sentence(standing: Standing, bar: Bar | None) -> str:
    said = [bar.sentence] if bar else []
    if standing.distrusted:
        said.append(standing.distrusted.sentence(DISTRUSTED))
    return "; ".join(said)


def _word(standing: Standing, bar: Bar | None, left: Collection[object]) -> str:
    if bar is None:
        return DISTRUSTED if standing.distrusted else IN
    return DRAINED if bar.kind is Kind.DRAINING and not left else str(bar.kind)
