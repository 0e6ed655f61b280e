"""The planner's answers, as types. The names are those of ``docs/reference/protocol.md``, section 4.

Times are seconds since the epoch unless the planner writes them as text.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

from dsmtc.client.heard import SilenceShown
from dsmtc.client.previewed import Motion, ToAgree
from dsmtc.client.rolled import Rollout
from dsmtc.client.signed import Publisher
from dsmtc.client.stood import Budget


class Health(TypedDict):
    """How the planner is."""

    status: str
    broker: str
    version: str
    planner_id: str


class Done(TypedDict):
    """It was done; what else is said of it is for nobody."""


class Login(TypedDict):
    """A token, and for whom it is."""

    token: str
    account: str
    role: str
    expires_at: float | str


class Challenge(TypedDict):
    """What is to be signed to log in with a key."""

    challenge: str


class WhoAmI(TypedDict):
    """The caller, and the slices it may use; what it holds everywhere and at sites; a program's token."""

    account: str
    role: str
    slices: list[str]
    everywhere: NotRequired[bool]
    roles: NotRequired[list[str]]
    site: NotRequired[str]
    site_roles: NotRequired[dict[str, list[str]]]
    token: NotRequired[str]


class Account(TypedDict):
    """An account; without a password nobody can log in to it yet."""

    account: str
    roles: list[str]
    has_password: bool
    site: NotRequired[str]
    site_roles: NotRequired[dict[str, list[str]]]


class Slice(TypedDict):
    """A slice with what is wanted of it."""

    slice: str
    managed: bool
    owner: str
    members: list[str]
    agent: str
    agent_parameters: dict[str, str]
    plan: str
    plan_parameters: dict[str, str]
    generation: int
    applications: list[object]
    accounts_made: NotRequired[list[str]]
    site: NotRequired[str]
    description: NotRequired[str]
    url: NotRequired[str]
    expires_at: NotRequired[float | None]
    signed_only: NotRequired[bool]
    publishers: NotRequired[list[Publisher]]
    motion: NotRequired[Motion]


class Managed(TypedDict):
    """Whether a slice is managed, and whether that is new."""

    slice: str
    managed: bool
    changed: bool


class Plan(TypedDict):
    """A node selection: a function with parameters; ``builtin`` ones are functions themselves."""

    name: str
    base: str
    parameters: dict[str, str]
    builtin: bool
    motion: NotRequired[Motion]


class HostReason(TypedDict):
    """A host, in or out of a plan, and which function decided."""

    host: str
    reason: str
    plan: NotRequired[str]
    function: NotRequired[str]


class Explanation(HostReason):
    """Whether a plan selects one host, and what decided."""

    selected: bool


class FunctionParameter(TypedDict):
    """What a function of plans takes; no default: it must be given."""

    name: str
    takes: str
    default: str | None


class PlanFunction(TypedDict):
    """A function of which plans are made. Of ``one_of`` exactly one parameter is given."""

    name: str
    text: str
    one_of: list[str]
    parameters: list[FunctionParameter]


class Labels(TypedDict):
    """The labels of a node."""

    host: str
    labels: dict[str, str]


class PlanLoss(TypedDict):
    """How many hosts a function of a plan left out."""

    plan: str
    function: str
    number: int


class Evaluation(TypedDict):
    """What a plan selects now. ``missing``: how many hosts it would want beyond those it found.

    ``losses``: what each function on the way left out; ``notes``: what people should know of the choice.
    """

    hosts: list[HostReason]
    left_out: list[HostReason]
    missing: int
    losses: NotRequired[list[PlanLoss]]
    notes: NotRequired[list[str]]


class Changed(TypedDict):
    """An application, the hosts that were meant, and whether anything changed."""

    application: str
    hosts: list[str]
    changed: bool


class Condition(TypedDict):
    """How a process is doing: its link to the broker, counters that only grow, its loop's lag (seconds)."""

    link: str
    connects: int
    unconfirmed: int
    outbox: int
    dropped: int
    refused: int
    lost: int
    lag_s: float


class ProcessHealth(Condition):
    """The same as a process on a node told it last."""

    heard_at: float


class PlannerHealth(Condition):
    """The planner's own.

    Attributes:
        trouble: why its last round failed; empty when it did not.
        watched, unwatched: things whose silence would be noticed, and those beyond the limit.
    """

    trouble: str
    watched: int
    unwatched: int


class ApplicationStatus(TypedDict):
    """One application on one host; ``configuration`` is a digest, empty for none."""

    application: str
    state: str
    version: str
    wanted_version: str
    configuration: NotRequired[str]
    wanted_configuration: NotRequired[str]
    wanted: str
    text: str
    reason: str
    since: float | str | None


class HostStatus(TypedDict):
    """One host of a slice, layer by layer.

    Attributes:
        heard_at: when its node was heard last; 0: never.
        container_since, agent_since: since when they are in their states; 0: not known.
    """

    host: str
    node_state: str
    container: str
    agent: str
    applications: list[ApplicationStatus]
    reason: str
    unwell: NotRequired[list[str]]
    heard_at: NotRequired[float]
    container_since: NotRequired[float]
    agent_since: NotRequired[float]


class SliceStatus(TypedDict):
    """How a slice is: counts first, then each host."""

    slice: str
    managed: bool
    plan: str
    plan_parameters: NotRequired[dict[str, str]]
    agent: str
    generation: int
    wanted: int
    running: int
    failed: int
    waiting: int
    missing: int
    hosts: list[HostStatus]
    waiting_reasons: list[str]
    held_back: NotRequired[ToAgree]
    silences: NotRequired[list[SilenceShown]]
    budget: NotRequired[Budget]
    planner: NotRequired[PlannerHealth]
    expires_at: NotRequired[float | None]
    rollouts: NotRequired[list[Rollout]]


class Invitation(TypedDict):
    """A one-time token with which a node joins."""

    token: str
    expires_at: float | str
