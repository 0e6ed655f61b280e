"""Steps: what is to be done next with one sliver, complete; each may be carried out twice."""

from __future__ import annotations

from dataclasses import dataclass

from agents.container_manager.decide.admission import raised
from dsmt_core.lifecycle import State
from dsmt_core.limits import NO_LIMITS, Limits
from dsmt_core.names import Slice


@dataclass(frozen=True, slots=True)
class Keep:
    """Store the order, and how far it is, before anything is done about it.

    Attributes:
        wanted: None when it is not known what is wanted (the order's file was torn).
    """

    slice: Slice
    generation: int
    wanted: bool | None
    agent: str
    state: State
    digest: str = ""
    limits: Limits = NO_LIMITS
    life: int = 0


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish this state of the container, and go on when it is confirmed or in the outbox."""

    slice: Slice
    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Create:
    """Make the sliver's directories."""

    slice: Slice


@dataclass(frozen=True, slots=True)
class Configure:
    """Write what the agent needs, and serve the node's socket; also for a sliver that was adopted."""

    slice: Slice
    agent: str
    life: int = 0


@dataclass(frozen=True, slots=True)
class Boot:
    """Start the init, within these limits."""

    slice: Slice
    agent: str
    limits: Limits = NO_LIMITS


@dataclass(frozen=True, slots=True)
class Limit:
    """Have what runs keep these limits; it runs on.

    Attributes:
        before: those that it keeps now; None when that is not known.
    """

    slice: Slice
    limits: Limits
    before: Limits | None = None

    @property
    def fresh(self) -> Limits:
        """What of it is promised anew: nothing to a sliver that was adopted, which keeps what it has."""
        return NO_LIMITS if self.before is None else raised(self.limits, self.before)


@dataclass(frozen=True, slots=True)
class StartAgent:
    """Let the deployment agent run; it may, once the container's ``running`` is out."""

    slice: Slice


@dataclass(frozen=True, slots=True)
class Evict:
    """End every process in a sliver that has taken more than it may; its files stay.

    Attributes:
        reason: with which it has failed.
    """

    slice: Slice
    reason: str


@dataclass(frozen=True, slots=True)
class Remake:
    """End every process in the sliver, so that it is made otherwise: out of another image, or of none."""

    slice: Slice


@dataclass(frozen=True, slots=True)
class End:
    """End every process in the sliver."""

    slice: Slice


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove the sliver's files, the order's among them."""

    slice: Slice


Step = Keep | Publish | Create | Configure | Boot | Limit | StartAgent | Evict | Remake | End | Remove
