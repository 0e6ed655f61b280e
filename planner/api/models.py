"""The bodies of requests. Unknown fields are refused: a typing error must not look like success."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from dsmt_core.events import ATTRIBUTE, DELIVERY_TTL_S, VALUE_EXPIRY_S
from planner.api.texts import LongText, Parameters, Storable, Text
from planner.retention import KEEP
from planner.rollout import DEFAULT


class Body(BaseModel):
    """What all have in common."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Refusal(BaseModel):
    """The answer to whatever cannot be done: a code, what happened in one line, and what to do.

    ``place`` is there where a text went wrong: a line of it, and a line with a caret.
    """

    code: str
    message: str
    hint: str
    place: str = ""


class Login(Body):
    """Who wants in; without a role: the strongest that the account holds."""

    account: Text
    password: Text
    role: Text | None = None


class NewPassword(Body):
    """A password to set; the old one is asked of everybody but an admin."""

    password: Text
    old_password: Text = ""


class AgentChoice(Body):
    """The installation agent of a slice."""

    agent: Text
    parameters: Parameters = {}


class PlanChoice(Body):
    """A plan in force, or to be evaluated."""

    plan: Text
    parameters: Parameters = {}


class PlanInForce(PlanChoice):
    """A plan to be put in force, if the world is as the index of a preview says."""

    check_index: Text = ""


class GuardRails(Body):
    """How many hosts a slice may ask for, and how fast that may change; seconds. 0 bounds nothing."""

    least: int = 0
    most: int = 0
    step: int = 0
    cool_down_s: float = 0.0


class Agreement(Body):
    """What people agree to: what the index stands for."""

    index: Text


class PlanQuestion(PlanChoice):
    """Why a plan has a node in or out."""

    host: Text


class Labels(Body):
    """Labels to be given to a node; an empty value takes one away."""

    labels: Parameters


class PlanDefinition(Body):
    """What a named plan is."""

    base: Text
    parameters: Parameters = {}


class PlanChange(PlanDefinition):
    """What a named plan is to be, if the world is as the index of a preview says."""

    check_index: Text = ""


class Verb(Body):
    """Where a verb is to be done (everywhere without hosts), and for update to which version."""

    hosts: Annotated[list[Text], Field(max_length=100_000)] | None = None
    version: Text | None = None
    dry_run: bool = False
    check_index: Text = ""


class NewRollout(Body):
    """A version to roll out (the newest when none is named), in waves; what is left out is the default."""

    version: Text = ""
    waves: Annotated[list[Text], Field(max_length=100)] = []
    min_healthy_s: float = DEFAULT.min_healthy_s
    deadline_s: float = DEFAULT.deadline_s
    errors: Text = ""
    need: Text = ""
    dry_run: bool = False
    check_index: Text = ""


class NewConfiguration(NewRollout):
    """Values to set, secrets to name, names to unset (``whole``: nothing else is left): rolled out.

    Without a version the slice's stays.
    """

    values: Parameters = {}
    unset: Annotated[list[Text], Field(max_length=64)] = []
    secrets: Annotated[list[Text], Field(max_length=64)] = []
    templates: Parameters = {}
    whole: bool = False


class NewSecret(Body):
    """A content, in base64."""

    value: Annotated[SecretStr, Field(max_length=90_000)]


class SecretWanted(Body):
    """Which content a node wants for a slice, and its claim."""

    host: Text
    claim: Text
    key: Text = ""
    challenge: Text = ""
    signature: Text = ""
    slice: Text
    id: Text


class RolloutDeed(Body):
    """How: promote to the last wave (``all``), or abort and go back (``back``)."""

    all: bool = False
    back: bool = False


class Join(Body):
    """What a node says of itself."""

    host: Text
    token: Text = ""
    boot_id: Text
    claim: Text
    key: Text = ""
    challenge: Text = ""
    signature: Text = ""
    slivers_key: Text = ""
    certificate: Text = ""


class Publication(Body):
    """An event to publish, in its fields or as a document of PsEPR XML; times are seconds."""

    channel: Text = ""
    field: Text = ""
    value: Annotated[str, StringConstraints(max_length=1 << 20)] = ""
    pairs: Annotated[dict[Text, LongText], Field(max_length=1024)] = {}
    payload: Text = ATTRIBUTE
    service: Text = ""
    to_service: Text = ""
    to_instance: Text = ""
    ttl: float = DELIVERY_TTL_S
    expiry: float = VALUE_EXPIRY_S
    emit_rate: float = 0.0
    xml: Annotated[str, StringConstraints(max_length=1 << 20)] | None = None


class WindowTime(Body):
    """When people work on a node: from a moment (ISO 8601, else UTC) to another, or for so long."""

    begins: Text
    ends: Text = ""
    lasts_s: float | None = None
    every_s: float = 0.0
    lead_s: float = 0.0


class StandingWish(Body):
    """What is said of nodes: of those that are named, or of which a condition is true."""

    hosts: Annotated[list[Text], Field(max_length=100_000)] = []
    where: Annotated[str, StringConstraints(max_length=4096), Storable] = ""
    dry_run: bool = False
    reason: Text = ""
    at_once: bool = False
    deadline_s: float | None = None
    force: bool = False
    window: WindowTime | None = None


class BudgetChoice(Body):
    """A disruption budget, such as ``keep 80%``; empty for the default."""

    budget: Text = ""


class WatchChoice(Body):
    """How an application is watched, as `dsmt_core.watch.Watch`; times are seconds."""

    check: Text = ""
    every_s: float = 0.0
    timeout_s: float = 0.0
    failures: int = 1
    successes: int = 1
    restart: Text = "always"
    restarts: int = 0
    within_s: float = 600.0


class Prune(Body):
    """What stays in the depot although nothing needs it."""

    keep: int = KEEP
    older_than_s: float = 0.0
    dry_run: bool = False


class SliverLimits(Body):
    """Limits of slivers as people write them, such as ``256M``; what is not named stays."""

    memory: Text = ""
    cpu: Text = ""
    processes: Text = ""
    disk: Text = ""
    files: Text = ""
    network: Text = ""
    root: Text = ""


class Quota(Body):
    """How many bytes a slice may keep in the depot; 0: no bound, null: the planner's default."""

    bytes: int | None


class AuditPrune(Body):
    """Up to which entry, NUMBER:DIGEST, the audit log is to be pruned."""

    through: Text


class Execution(Body):
    """A command to run as an application on a node, or on those of a plan, for so many seconds at most."""

    at: Text
    argv: Annotated[list[LongText], Field(max_length=256)]
    timeout_s: float = 0.0
