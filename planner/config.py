"""What a planner is told when it starts; nothing is read from the environment anywhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from broker.metering import Reader
from broker.topology import HISTORY_AGE_S, HISTORY_BYTES
from dsmt_core.commands import STATUS_PERIOD_S
from planner.expiry import GRACE_S
from planner.store.database import sqlite_url
from planner.tls.deciding import Wish

# A quarter, for whoever reports by quarters.
PAST_AGE_S: Final = 92 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerConfig:
    """The configuration of one planner; all times are seconds.

    Attributes:
        data: its directory: the database, the depot's secrets and, without ``depot``, the depot.
        broker: URL with which the planner itself connects.
        node_broker: URL that nodes are given when they join.
        operator_broker: URL that operators' programs are given.
        application_broker: URL that applications are given in their slivers; empty: they get none.
        broker_management: URL of the broker's management interface, as an administrator: with it each node,
            agent and sliver has a user of its own; empty: they share those of the URLs above.
        host, port: where the API listens; port 0 takes a free one.
        wish: TLS everywhere, or nowhere; by default wherever others than this machine can hear it.
        names: by which others reach this machine; the first one goes into URLs. Empty: its own name.
        depot: URL of a depot that runs already; empty: the planner starts one and keeps it running.
        depot_listen: where the planner's own depot listens; empty: 127.0.0.1 and the port of last time.
        database: SQLAlchemy's URL; empty: SQLite in ``data``.
        heartbeat: period of the nodes' heartbeats.
        misses: a node that is silent for this many periods has failed.
        status_period: how often the status scripts of new slices are called.
        round_every: the least time between two rounds.
        full_round_every: a round over everything is due at least this often.
        broker_wait: how long a start waits for the broker before it gives up.
        invitation: how long an invitation of a node holds unless it says otherwise.
        history_age: what was said longer ago may be dropped from the history.
        past_age: how long it is known how nodes and applications were.
        history_bytes: how large the history may be; beyond it the oldest may be dropped.
        depot_bytes: how much the planner's own depot may hold; 0 for its default.
        slice_depot_bytes: how much each slice may keep in the depot unless it was given another bound; 0:
            no bound of its own.
        depot_keep: so many of the newest versions of each package stay in the depot of a slice when the
            planner removes what nobody needs; 0: it removes nothing by itself.
        depot_older_than: what was put within so many seconds stays then, too.
        depot_mirrors: each ``SITE=URL``: the mirror of the depot that nodes of a site ask first.
        audit_keep: what of the audit log is older goes into files of its own; 0: nothing does.
        slice_grace: how long after its end a slice is deleted.
        metrics: who may read ``/metrics``; None: nobody.
        facts: further sources of facts, as `planner.facts.open_source` reads them.
    """

    data: Path
    broker: str
    node_broker: str = ""
    operator_broker: str = ""
    application_broker: str = ""
    broker_management: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 7080
    wish: Wish = field(default_factory=Wish)
    names: tuple[str, ...] = ()
    depot: str = ""
    depot_listen: str = ""
    database: str = ""
    heartbeat: float = 5.0
    misses: int = 3
    status_period: float = STATUS_PERIOD_S
    round_every: float = 0.1
    full_round_every: float = 30.0
    broker_wait: float = 30.0
    invitation: float = 86_400.0
    history_age: float = HISTORY_AGE_S
    past_age: float = PAST_AGE_S
    history_bytes: int = HISTORY_BYTES
    depot_bytes: int = 0
    slice_depot_bytes: int = 0
    depot_keep: int = 0
    depot_older_than: float = 30 * 86_400.0
    depot_mirrors: tuple[str, ...] = ()
    audit_keep: float = 0.0
    slice_grace: float = GRACE_S
    metrics: Reader | None = None
    facts: tuple[str, ...] = ()

    @property
    def database_url(self) -> str:
        """The database, in ``data`` unless another was named."""
        return self.database or sqlite_url(self.data)

    @property
    def certificate(self) -> Path:
        """What planner and depot show, with its key."""
        return self.data / "tls.pem"

    @property
    def depot_secrets(self) -> Path:
        """The file with the two secrets that the depot asks for."""
        return self.data / "depot-secrets.json"

    @property
    def broker_key(self) -> Path:
        """The file with the secret that the passwords of the broker's users follow from."""
        return self.data / "broker.key"

    @property
    def secrets_key(self) -> Path:
        """The file with the key that seals the secrets of slices."""
        return self.data / "secrets.key"

    @property
    def order_key(self) -> Path:
        """The file with the key that signs orders."""
        return self.data / "order.key"

    @property
    def audit_folder(self) -> Path:
        """Where the older parts of the audit log go."""
        return self.data / "audit"

    @property
    def audit_heads(self) -> Path:
        """The file that remembers, outside of the database, how far the audit log went."""
        return self.data / "audit.heads"

    @property
    def failed_after(self) -> float:
        """A node that is silent for longer has failed."""
        return self.heartbeat * self.misses
