"""Nodes: who may join under which name, what a node is told, and how nodes are shown.

The claim is a random id that a node made once: whoever shows it again is the same node and needs no
invitation any more. Another claim for a name is refused while the holder lives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from broker.topology import node_queue, node_topology
from dsmt_core.errors import Conflict, Invalid, Unavailable
from dsmt_core.names import Host, Slice, host
from planner.config import PlannerConfig
from planner.failed_nodes import period_s
from planner.fleet import NodeState
from planner.fleet.nodes import NODE
from planner.service.entrance import Entrance
from planner.service.join_request import ClaimHashes, JoinRequest
from planner.service.judged import judged, untrusted
from planner.service.means import Means, Watched
from planner.service.mirrors import Told
from planner.service.node_certificates import NodeCertificates
from planner.service.pieces import each
from planner.service.standings import Standings
from planner.store import evidence, nodes
from planner.store.nodes import Joined

_CLAIM_AT_LEAST = 16


class Nodes:
    """Joining, forgetting, and how they are shown."""

    def __init__(
        self,
        means: Means,
        watched: Watched,
        *,
        config: PlannerConfig,
        told: Told,
        standings: Standings,
    ) -> None:
        self._database = means.database
        self._ledger = means.ledger
        self._bus = means.bus
        self._clock = means.clock
        self._fleet = watched.fleet
        self._tracker = watched.tracker
        self._watched = watched
        self._config = config
        self._told = told
        self._standings = standings
        self._joined: dict[Host, Joined] = {}
        self.entrance = Entrance(means, self._joined, told.roster.audit)
        self.certificates = NodeCertificates(means.clock, told.roster.audit)

    @property
    def claims(self) -> Mapping[Host, str]:
        """Host → the hash of the claim of the node that has the name."""
        return ClaimHashes(self._joined)

    @property
    def period(self) -> float:
        """Seconds between the heartbeats of each node: the more there are, the more seldom."""
        return period_s(self._config.heartbeat, len(self._joined))

    async def load(self) -> None:
        """Take over what is stored: who joined, and what was last seen of it, marked old."""
        now = self._clock()
        rows = await self._database.read(nodes.load_seen)
        self._fleet.load(rows, now=now)
        self._joined.update({joined.host: joined for joined in await self._database.read(nodes.listed)})
        pasts = await self._database.read(evidence.load)
        self._watched.misfits.load(await self._database.read(evidence.load_misfits))
        for of in self._joined:
            self._fleet.join(of, now=now, period=self.period)
            failed = self._fleet.state(of) is NodeState.FAILED
            self._tracker.join(of, now=now, period=self.period, failed=failed, past=pasts.get(of))
        self._fleet.lacks(self._ledger.wanted.hosts)
        for of, labels in (await self._database.read(nodes.labels)).items():
            self._fleet.label(of, labels)

    async def declare_queues(self) -> int:
        """Make the queue of each node; what is there stays as it is. Returns how many there are."""
        parts = [node_topology(of) for of in self._joined]
        if parts:
            await self._bus.declare(
                [queue for some, _ in parts for queue in some],
                [binding for _, some in parts for binding in some],
            )
        return len(parts)

    async def join(self, asked: JoinRequest) -> dict[str, Any]:
        """Let a node in, and tell it what it needs.

        Raises:
            Invalid: host or claim are not legal.
            Denied: the token is not of an invitation that still holds.
            Conflict: another living instance has the name.
            Unavailable: the broker is away, so that the node's queue could not be made; or the planner
                does not know with which URL nodes connect.
        """
        name = host(asked.host)
        if not self._config.node_broker:
            # Never the planner's own URL: who has it may give orders.
            raise Unavailable(
                "the planner was not told a broker URL for nodes",
                hint="start it with --node-broker or DSMT_NODE_BROKER",
            )
        if len(asked.claim) < _CLAIM_AT_LEAST:
            raise Invalid(f"a claim has at least {_CLAIM_AT_LEAST} characters", hint="make it at random")
        joined = self.entrance.asked(name, asked)
        joined, of_token = await self.entrance.admit(joined, asked.token, self._held)
        # Claimed before the first wait, so that of two at once only one can have it.
        before, self._joined[name] = self._joined.get(name), joined
        try:
            await self._told.roster.welcome(name, anew=bool(of_token))
            await self._bus.declare(*node_topology(name))
            # Not before it is known that it is welcome: who is put out would be given one with each word.
            joined, given = await self.certificates.give(joined, asked)
            self._joined[name] = joined
            await self._database.write(nodes.join, joined, of_token, now=self._clock())
        except BaseException:
            self._restore(name, before)
            raise
        self._watch(name)
        return {**self._answer(name), **given}

    async def forget(self, text: str) -> None:
        """Forget a node: its name is free, and nothing is placed on it any more.

        Raises:
            NotFound: there is none.
            Conflict: it is alive: it would go on with what it has, beside whatever replaces it.
        """
        name = host(text)
        if name in self._joined and self._is_alive(name):
            raise Conflict(
                f"{name} is alive, and would go on with what it runs",
                hint="end its slivers and dsmt-node there first, then forget it",
            )
        await self._database.write(nodes.forget, name)
        self._joined.pop(name, None)
        self._ledger.forget(name)
        self._fleet.forget(name)
        self._tracker.forget(name)
        await self._bus.delete_queue(node_queue(name))

    async def label(self, text: str, change: Mapping[str, str]) -> dict[str, str]:
        """Label a node; an empty value takes a label away. Returns all that it has afterwards.

        Raises:
            NotFound: there is none.
            Invalid, Full: of `planner.labels.labelled`.
        """
        name = host(text)
        labels = await self._database.write(nodes.label, name, change)
        self._fleet.label(name, labels)
        return labels

    async def shown(self, where: str = "", *, failed: bool = False) -> list[dict[str, Any]]:
        """Every node, by host, as the API shows it; each as it is when it is looked at.

        Args:
            where: only those of which this condition is true (`planner.plans.conditions`).
            failed: only those that are not alive, or that some slice leaves alone.

        Raises:
            Invalid: it cannot be understood.
            NotFound: it asks for a fact that no node has told.
        """
        found = self.named(where, failed=failed)
        return await each(found, lambda of: [self._shown(of)] if of in self._joined else [])

    def named(self, where: str = "", *, failed: bool = False) -> list[Host]:
        """The names of those that `shown` shows.

        Raises:
            Invalid, NotFound: as `shown`.
        """
        found = self.satisfying(where)
        return untrusted(self._watched, found, self._clock()) if failed else found

    def satisfying(self, where: str = "") -> list[Host]:
        """The nodes of which a condition is true, or all, by name.

        Raises:
            Invalid, NotFound: as `shown`.
        """
        hosts = self._standings.satisfying(where) if where else self._joined.keys()
        return sorted(hosts & self._joined.keys())

    def one(self, text: str) -> dict[str, Any]:
        """One node.

        Raises:
            NotFound: there is none.
        """
        return self._shown(self.known(text))

    def known(self, text: str) -> Host:
        """The name of a node that has joined.

        Raises:
            NotFound: there is none of this name.
        """
        name = host(text)
        if name not in self._joined:
            raise nodes.no_node(name)
        return name

    def _held(self, holder: Joined) -> Conflict | None:
        """Why somebody else cannot have the name, if it is so."""
        if not self._lives(holder):
            return None
        return Conflict(
            f"another living node has the name {holder.host}",
            hint="give this node another --host; or, if it replaces the other one, end that, then wait "
            f"{self._config.failed_after:.0f} s or say: dsmtc nodes forget {holder.host}",
        )

    def _lives(self, holder: Joined) -> bool:
        heard = max(self._heard_at(holder.host), holder.joined_at)
        return self._clock() - heard <= max(self._config.failed_after, self._config.misses * self.period)

    def _is_alive(self, name: Host) -> bool:
        said = self._standings.is_distrusted(name)
        return self._lives(self._joined[name]) if said else self._fleet.state(name) is NodeState.ALIVE

    def _heard_at(self, name: Host) -> float:
        row = self._fleet.hosts.get(name)
        return 0.0 if row is None else self._fleet.columns.heard[row]

    def _restore(self, name: Host, before: Joined | None) -> None:
        if before is None:
            self._joined.pop(name, None)
        else:
            self._joined[name] = before

    def _watch(self, name: Host) -> None:
        now, period = self._clock(), self.period
        self._fleet.join(name, now=now, period=period)
        self._tracker.join(name, now=now, period=period)

    def _answer(self, name: Host) -> dict[str, Any]:
        return {
            "host": name,
            "queue": node_queue(name),
            "heartbeat_s": self.period,
            **self._told.of(name),
            "slivers": self._slivers(name),
        }

    def _slivers(self, name: Host) -> dict[Slice, int]:
        return {
            one.name: one.hosts[name]
            for one in self._ledger.wanted.slices.values()
            if one.managed and name in one.hosts
        }

    def _shown(self, name: Host) -> dict[str, Any]:
        seen = self._fleet.node(name)
        return {
            "host": name,
            "state": self._fleet.state(name),
            "heard_at": self._heard_at(name),
            "period": self._fleet.period(name),
            "clock_off_s": self._fleet.clocks.off(name),
            **judged(self._watched, name, self._clock()),
            "copied_at": self._joined[name].copied_at,
            "certificate": asdict(self._joined[name].certified),
            "standing": self._standings.shown(name),
            "slivers": sorted((seen.slivers if seen else None) or {}),
            "facts": dict(seen.facts if seen else {}) | self._fleet.from_sources(name),
            "labels": dict(seen.labels) if seen else {},
            "health": self._fleet.healths.shown(NODE, name),
            "unwell": self._fleet.healths.unwell(NODE, name, self._clock()),
        }
