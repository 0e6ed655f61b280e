"""The planner, wired: every choice of what talks to what is made here.

Order of a start: database (refused when another planner has it), wanted, seen marked old, broker, topology,
then the tasks. A shutdown goes the other way round; it ends no application.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import Any, Final

import structlog

import broker
from broker.bus import Bus, Limits
from broker.condition import condition_of
from broker.topology import planner_topology
from dsmt_core.errors import DsmtError
from dsmt_core.names import Slice
from planner.authority.gate import Gate
from planner.authority.keys import Keys
from planner.authority.order_keys import OrderKeys
from planner.authority.sealing import Seal
from planner.config import PlannerConfig
from planner.facts import open_source
from planner.fleet import Fleet
from planner.service.agreements import Agreements
from planner.service.applications import Applications
from planner.service.audit import Audit
from planner.service.bounds import Bounds
from planner.service.clock import SteadyClock
from planner.service.condition import OwnCondition
from planner.service.connecting import connect
from planner.service.crew import Crew
from planner.service.depot import DepotClient, DepotSecrets
from planner.service.depots import Depots
from planner.service.expiry import Expiry
from planner.service.facts import FactSources
from planner.service.floods import Floods
from planner.service.guards import Guards
from planner.service.history import History
from planner.service.identity import identity
from planner.service.ledger import Ledger
from planner.service.looking_in import LookingIn
from planner.service.means import Means, Watched, watched_with
from planner.service.mirrors import Mirrors, Told
from planner.service.nodes import Nodes
from planner.service.observing import Observing
from planner.service.plans import Plans
from planner.service.previews import Previews
from planner.service.recording import Recording
from planner.service.refusals import Refusals
from planner.service.replays import Replays
from planner.service.requests import Requests
from planner.service.rollouts import RolloutNews, Rollouts
from planner.service.roster import Roster
from planner.service.rounds import Pace, Rounds
from planner.service.secrets import Secrets
from planner.service.seeing import Seeing, Senses
from planner.service.sites import Sites
from planner.service.slices import Slices
from planner.service.snapshots import Snapshots
from planner.service.speaking import Speaking
from planner.service.standings import Standings
from planner.service.tap import Tap
from planner.service.tracking import Tracking
from planner.service.upkeep import Lag, Queues, WriteBehind
from planner.service.voice import Voice
from planner.store import Database
from planner.tls.clients import broker_of

# Its queue of reports may lose its leader, which only silence shows (ADR 12); no other queue can.
_LIMITS: Final = Limits(consume_s=6.0)
_log = structlog.get_logger(__name__)


class Planner:
    """The control plane, without its faces; made by `Planner.open`, used by the API.

    Attributes:
        gate, keys: let people in.
        slices, plans, packages, applications, rollouts, nodes, standings, bounds, …: what they do.
        agreements: what waits for them.
        audit: who did what.
        facts: what others than the nodes know of them.
        tap: what was said lately, and what holds now.
        replays: what was said before.
        id: of this installation, the same for ever.
    """

    def __init__(self, config: PlannerConfig, database: Database, bus: Bus, planner_id: str) -> None:
        self.config, self.bus, self.id = config, bus, planner_id
        self.clock = SteadyClock()
        self.database = database
        self.crew = Crew()
        self.tap = Tap(self.clock)
        self.history = History(bus, self.clock, config)
        self.replays = Replays(self.history, self.tap)
        self.fleet = Fleet()
        self.facts = FactSources([open_source(one) for one in config.facts], self.fleet, self.clock)
        secrets_ = DepotSecrets.kept_in(config.depot_secrets)
        self.depot = DepotClient(config.depot, secrets_.planner)
        voice = Voice(bus, self.clock, secrets.token_hex(8), OrderKeys(config.order_key))
        self.audit = Audit.of(database, self.clock, voice, config, planner_id)
        self.news = RolloutNews(voice.tell)
        self.ledger = Ledger(database, self._changed, self._stood, self.news.changed)
        self.sites = Sites(database, self.ledger, self.clock)
        self.gate = Gate(database, self.clock, self.audit.locked)
        self.keys = Keys(database, self.clock, self.gate, planner_id)
        means = Means(database, self.ledger, bus, self.clock)
        self.watched = watched = watched_with(config, self.fleet, self.clock())
        self.roster = Roster(means, config, lambda: self.nodes.claims, self.audit)
        self.sites.left = self.roster.wake
        mirrors = Mirrors(config.depot_mirrors, self.fleet)
        told = Told(lambda: self.depot.url, secrets_.node, mirrors.of, self.roster, voice.signing)
        self.floods = Floods(means, self.roster, voice)
        self.rounds = Rounds(means, self.fleet, voice=voice, pace=Pace.of(config))
        self._offer(means, voice)
        self.standings = Standings(means, watched, waiting=self.rounds.waiting)
        self.nodes = Nodes(means, watched, config=config, told=told, standings=self.standings)
        self.secrets = Secrets(means, Seal(config.secrets_key), self.nodes)
        asked = (self.ledger, self.plans, self.applications)
        self.requests = Requests(*asked, tell=voice.tell, audit=self.audit)
        self._listen(means, watched, voice)
        self._behind = WriteBehind(means, watched, Recording(means, config.past_age))

    def _listen(self, means: Means, watched: Watched, voice: Voice) -> None:
        """What is made of what is heard."""
        self.tracking = Tracking(means, watched, voice, nodes=self.nodes, wake=self.rounds.wake)
        self.observing = Observing(means, watched, voice)
        self.speaking = Speaking(self.bus, self.ledger, self.clock)
        self.condition = OwnCondition(self.bus, voice, Refusals(self.audit, self.clock))
        self.snapshots = Snapshots(self.bus, self.tap.values, self.clock)
        answers = self.condition.refusals.hearing(voice.signing.hearing(self.tracking.heard))
        listeners = (self.observing, self.snapshots, self.floods)
        senses = Senses(watched, self.tap, self.rounds.wake, answers, listeners)
        self.seeing = Seeing(means, senses, requests=self.requests, heartbeat=self.config.heartbeat)
        self.lag = Lag(self.config.heartbeat, self._deafened)

    def _offer(self, means: Means, voice: Voice) -> None:
        """What people can do with slices."""
        self.rounds.expecting = self.roster.expect
        previews = Previews(means, self.fleet, self.rounds.sent)
        self.slices = Slices(means, self.fleet, status_period=self.config.status_period)
        self.depots = Depots.of(means, self.depot, self.config)
        self.packages = self.depots.packages
        self.guards = Guards(means, self.fleet)
        self.applications = Applications(means, self.guards)
        self.plans = Plans(means, self.fleet, previews, self.guards)
        self.agreements = Agreements(self.ledger, previews, voice.tell)
        self.bounds = Bounds.of(means, self.fleet, previews, self.depots.quotas, self.floods)
        self.rollouts = Rollouts(means, self.fleet, self.rounds)
        self.expiry = Expiry(
            means, self.slices, self.packages, voice.tell, self.audit, self.config.slice_grace
        )
        self.looking_in = LookingIn(means, self.fleet, self.plans, voice)

    @classmethod
    async def open(cls, config: PlannerConfig, bus: Bus | None = None) -> Planner:
        """A planner with its database open.

        Args:
            config: of the planner.
            bus: one that is not started yet; by default a connection to ``config.broker``.

        Raises:
            Conflict: another planner has the database, or `initialise` has not been run.
            Unavailable, Invalid: of the database.
        """
        database = await Database.open(config.database_url)
        try:
            planner_id = await database.write(identity, config)
            connected = bus or broker.connect(broker_of(config), limits=_LIMITS, name="planner")
            return cls(config, database, connected, planner_id)
        except BaseException:
            await database.close()
            raise

    async def start(self) -> None:
        """Connect and begin.

        Raises:
            Unavailable: the broker did not answer within ``config.broker_wait``.
            Denied: it refused user or password.
        """
        for part in (self.ledger, self.nodes, self.floods, self.roster):
            await part.load()
        self.gate.knows(await self.audit.let_in())
        await connect(self.bus, self.config)
        await self._declare()
        self.bus.on_connected(self._connected)
        for name, work in (
            ("heartbeats", self.seeing.heartbeats()),
            ("ingest", self.seeing.ingest()),
            ("tap", self.seeing.listen()),
            ("last values", self.history.remember(self.tap.values)),
            ("tracker", self.seeing.judge()),
            *self.tracking.tasks(),
            ("observing", self.observing.run()),
            ("snapshots", self.snapshots.run()),
            ("health", self.condition.run()),
            ("requests", self.requests.serve()),
            ("answers", self.looking_in.calls.serve()),
            ("rounds", self.rounds.run()),
            ("news of roll-outs", self.news.run()),
            ("write-behind", self._behind.run()),
            ("queues", Queues(self._declare_exchanges, self._declare).run()),
            ("facts", self.facts.run()),
            ("ends of slices", self.expiry.run()),
            ("lag", self.lag.run()),
            ("audit", self.audit.run()),
            ("users of the broker", self.roster.run()),
            ("floods", self.floods.run()),
            ("pruning", self.depots.pruning.run()),
        ):
            self.crew.start(name, work)

    async def close(self) -> None:
        """End, in order; may be called twice."""
        self.tap.close()
        self.looking_in.logs.close()
        await self.crew.close()
        try:
            await self._behind.flush()
        except DsmtError as error:
            _log.warning("seen was not written at the end", reason=str(error))
        await self.audit.close()
        await self.bus.close()
        await self.depot.close()
        await self.database.close()

    def health(self) -> dict[str, Any]:
        """How the planner itself is doing, as the API shows it."""
        return asdict(condition_of(self.bus.health, round(self.lag.last, 4))) | {
            "trouble": self.rounds.trouble,
            "hints": self.tracking.hints.state,
            "broker_users": self.roster.trouble,
            "watched": len(self.observing.silences),
            "unwatched": self.observing.silences.unwatched,
        }

    def _deafened(self) -> None:
        self.seeing.deafened()
        self.observing.deafened()

    def _changed(self, slice_: Slice) -> None:
        self.rounds.changed(slice_)
        self.roster.wake()

    def _stood(self) -> None:
        # The round finds by itself who is out of service now. Nothing was missed meanwhile: time limits of
        # roll-outs go on.
        self.rounds.wake()
        self.roster.wake()

    async def _declare_exchanges(self) -> bool:
        missing = await self.bus.declare([], [])
        if missing:
            # The queues of the agents, too, are bound no longer; a round declares them.
            self.rounds.everything()
        return missing

    async def _declare(self) -> int:
        """Make what there is to be; how many queues."""
        queues, bindings = planner_topology(self.config.heartbeat)
        await self.bus.declare(queues, bindings)
        await self.history.declare()
        return len(queues) + 1 + await self.nodes.declare_queues()

    async def _connected(self) -> None:
        """After each connection: what was said meanwhile was not heard, and queues may be gone."""
        self._deafened()
        await self._declare()
        self.rounds.everything()
