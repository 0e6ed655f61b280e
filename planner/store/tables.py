"""The tables, as SQLAlchemy Core. A change here needs a migration in ``planner/migrations``.

Times are seconds since the epoch. Secrets (tokens, claims) are kept as SHA-256 only: whoever reads the
database can use none of them.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

# The last migration, which makes the tables as they are here: a database that has it needs none.
REVISION: Final = "0024"

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _slice_key() -> Column[str]:
    return Column("slice", String(40), ForeignKey("slices.slice", ondelete="CASCADE"), primary_key=True)


def _site() -> Column[str]:
    # Empty: the home site, whatever it is called.
    return Column("site", String(20), nullable=False, server_default="")


SETTINGS: Final = Table(
    "settings",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

ACCOUNTS: Final = Table(
    "accounts",
    METADATA,
    Column("account", String(64), primary_key=True),
    Column("password_hash", Text, nullable=False),
    # Those that it has everywhere.
    Column("roles", JSON, nullable=False),
    Column("made_at", Float, nullable=False),
    _site(),
)

TOKENS: Final = Table(
    "tokens",
    METADATA,
    Column("token_hash", String(64), primary_key=True),
    Column("account", String(64), ForeignKey("accounts.account", ondelete="CASCADE"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("expires_at", Float, nullable=False),
    # Of a program: it has a name, and is not renewed.
    Column("name", String(64), nullable=False, server_default=""),
    Column("made_at", Float, nullable=False, server_default="0"),
    # By use it goes on, up to here.
    Column("renewed_until", Float, nullable=False, server_default="0"),
    Index(None, "account"),
    Index(None, "expires_at"),
)

# With which accounts may log in; as OpenSSH writes them.
ACCOUNT_KEYS: Final = Table(
    "account_keys",
    METADATA,
    Column("account", String(64), ForeignKey("accounts.account", ondelete="CASCADE"), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    Column("comment", String(128), nullable=False),
    Column("added_at", Float, nullable=False),
)

SLICES: Final = Table(
    "slices",
    METADATA,
    Column("slice", String(40), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("managed", Boolean, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("agent", String(64), nullable=False),
    Column("agent_parameters", JSON, nullable=False),
    # As `dsmt_core.agents` writes it; empty for the default agent.
    Column("agent_package", Text, nullable=False, server_default=""),
    Column("plan", String(64), nullable=False),
    Column("plan_parameters", JSON, nullable=False),
    Column("status_period", Float, nullable=False),
    # As `planner.guarded` writes it; empty: none.
    Column("guard", JSON, nullable=False, server_default="{}"),
    # As `planner.store.restraints` writes it.
    Column("restraint", JSON, nullable=False, server_default="{}"),
    Column("budget", String(32), nullable=False, server_default=""),  # Of `planner.budget`.
    # As `dsmt_core.limits` writes them; empty for none.
    Column("limits", String(200), nullable=False, server_default=""),
    # How much it may keep in the depot; 0: no bound, none: the planner's default.
    Column("depot_bytes", BigInteger, nullable=True),
    # Which slice of its name it is: milliseconds since the epoch when it was made; 0 for those of before.
    Column("life", BigInteger, nullable=False, server_default="0"),
    _site(),
    Column("description", Text, nullable=False, server_default=""),
    Column("url", Text, nullable=False, server_default=""),
    # As `planner.quota` writes it; empty for none.
    Column("quota", String(200), nullable=False, server_default=""),
    Column("expires_at", Float, nullable=True),  # None: it stays.
    Column("publishers", JSON, nullable=False, server_default="{}"),  # Empty: any package.
)

MEMBERS: Final = Table(
    "members",
    METADATA,
    _slice_key(),
    Column("account", String(64), primary_key=True),
)

PLANS: Final = Table(
    "plans",
    METADATA,
    _slice_key(),
    Column("plan", String(64), primary_key=True),
    Column("base", String(64), nullable=False),
    Column("parameters", JSON, nullable=False),
)

PACKAGES: Final = Table(
    "packages",
    METADATA,
    _slice_key(),
    Column("filename", String(200), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("name", String(128), nullable=False),
    Column("version", String(128), nullable=False),
    Column("arch", String(32), nullable=False),
    Column("requires", JSON, nullable=False),
    Column("provides", JSON, nullable=False),
    Column("application", String(64), nullable=False),
    Column("put_at", Float, nullable=False),
    Column("scripts", JSON, nullable=False, server_default="[]"),
    Column("signatures", JSON, nullable=False, server_default="[]"),
    Index(None, "digest"),
)

APPLICATIONS: Final = Table(
    "applications",
    METADATA,
    _slice_key(),
    Column("application", String(64), primary_key=True),
    Column("wrapper", String(128), nullable=False),
    Column("version", String(128), nullable=False),
    # PackageRef texts in the order of installation; empty while something is missing.
    Column("packages", JSON, nullable=False),
    Column("missing", Text, nullable=False),
    Column("run", String(16), nullable=False),
    Column("restarts", BigInteger, nullable=False),
    # Its configuration, names and values.
    Column("configuration", JSON, nullable=False, server_default="{}"),
    # How it is watched, as `dsmt_core.watch` writes it; empty: as usual.
    Column("watch", JSON, nullable=False, server_default="{}"),
)

SLIVERS: Final = Table(
    "slivers",
    METADATA,
    _slice_key(),
    Column("host", String(128), primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("retired", Boolean, nullable=False),
)

PLACEMENTS: Final = Table(
    "placements",
    METADATA,
    Column("slice", String(40), primary_key=True),
    Column("host", String(128), primary_key=True),
    Column("application", String(64), primary_key=True),
    Column("version", String(128), nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("run", String(16), nullable=False),
    Column("restarts", BigInteger, nullable=False),
    # The digest of its configuration; empty for none.
    Column("configuration", String(16), nullable=False, server_default=""),
    ForeignKeyConstraint(["slice"], ["slices.slice"], ondelete="CASCADE"),
)

# As `planner.store.rollouts` writes them; of each application the latest is wanted, the others are history.
ROLLOUTS: Final = Table(
    "rollouts",
    METADATA,
    _slice_key(),
    Column("application", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("value", JSON, nullable=False),
)

NODES: Final = Table(
    "nodes",
    METADATA,
    Column("host", String(128), primary_key=True),
    Column("claim_hash", String(64), nullable=False),
    Column("boot_id", String(64), nullable=False),
    Column("joined_at", Float, nullable=False),
    _site(),
    Column("node_key", String(400), nullable=False, server_default=""),
    Column("trust", JSON),
)

# Rows of `planner.fleet`: a node (slice empty) or a sliver; written behind.
SEEN: Final = Table(
    "seen",
    METADATA,
    Column("host", String(128), ForeignKey("nodes.host", ondelete="CASCADE"), primary_key=True),
    Column("slice", String(40), primary_key=True),
    Column("value", JSON, nullable=False),
)

# What the failed-node tracker knows of a node: how often it failed, and the evidence; written behind.
EVIDENCE: Final = Table(
    "evidence",
    METADATA,
    Column("host", String(128), ForeignKey("nodes.host", ondelete="CASCADE"), primary_key=True),
    Column("value", JSON, nullable=False),
)

# Hosts that are left alone for a slice (`planner.failed_nodes.Misfit`); written behind.
MISFITS: Final = Table(
    "misfits",
    METADATA,
    _slice_key(),
    Column("host", String(128), ForeignKey("nodes.host", ondelete="CASCADE"), primary_key=True),
    Column("value", JSON, nullable=False),
)

LABELS: Final = Table(
    "labels",
    METADATA,
    Column("host", String(128), ForeignKey("nodes.host", ondelete="CASCADE"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

# What people want of a node, as `planner.standing` writes it; no row: it is in service.
STANDINGS: Final = Table(
    "standings",
    METADATA,
    Column("host", String(128), ForeignKey("nodes.host", ondelete="CASCADE"), primary_key=True),
    Column("value", JSON, nullable=False),
)

# Each content of a secret, sealed; of a name the newest counts.
SECRETS: Final = Table(
    "secrets",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("slice", String(40), ForeignKey("slices.slice", ondelete="CASCADE"), nullable=False),
    Column("name", String(40), nullable=False),
    Column("put_at", Float, nullable=False),
    Column("put_by", String(64), nullable=False),
    Column("sealed", Text, nullable=False),
)

# How often the users of a node were withdrawn: each time they get other passwords.
WITHDRAWALS: Final = Table(
    "withdrawals",
    METADATA,
    Column("host", String(128), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("at", Float, nullable=False),
)

JOIN_TOKENS: Final = Table(
    "join_tokens",
    METADATA,
    Column("token_hash", String(64), primary_key=True),
    Column("made_by", String(64), nullable=False),
    Column("expires_at", Float, nullable=False),
    _site(),
    Column("uses", Integer),
    Column("hosts", String(200), nullable=False, server_default=""),
    Column("replaces", Integer, nullable=False, server_default="0"),
)
