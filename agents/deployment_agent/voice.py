"""What the agent says on PsEPR. Changes of state wait for the broker; what repeats does not.

With the broker away a change stays in the bus's outbox; a repeated status or holdings would only push
changes out of it, and is said again anyway.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping

from agents.deployment_agent.config import AgentConfig
from broker.bus import Bus, Link
from dsmt_core.calls import ANSWER, Answer
from dsmt_core.channels import status_channel
from dsmt_core.errors import DsmtError
from dsmt_core.events import (
    DEPLOYMENT_STATUS,
    METRICS,
    ONCE,
    STATUS,
    VALUE_EXPIRY_S,
    Event,
    Sender,
    legal_text,
)
from dsmt_core.health import HEALTH, PERIOD_S, Condition, health_pairs
from dsmt_core.lifecycle import State
from dsmt_core.names import Application, manager_of
from dsmt_core.nodes import HOLDINGS, Held, application_pairs
from dsmt_core.rights import CALLS

_LOG = logging.getLogger(__name__)


class Voice:
    """Speaks in the name of one component of a sliver.

    Args:
        config: whose.
        component: in whose name: the agent's or the bootstrap's.
        bus: where it is said.

    Attributes:
        session: names this life in all that it says; the planner signs orders for it.
    """

    def __init__(self, config: AgentConfig, component: str, bus: Bus) -> None:
        self._config = config
        self._component = component
        self._bus = bus
        self._channel = status_channel(config.slice, component, config.host)
        instance = f"{config.host}/{config.slice}/{component}"
        self.session = uuid.uuid4().hex
        self._sender = Sender(manager_of(config.slice), instance, self.session)

    @property
    def heard(self) -> bool:
        """Whether the broker is there."""
        return self._bus.health.link is Link.CONNECTED

    async def state(self, managed: str, state: State, more: Mapping[str, str] | None = None) -> None:
        """Tell that what is ``managed`` is now in ``state``; returns when confirmed or in the outbox."""
        pairs = {
            "hostname": self._config.host,
            "component": self._component,
            "managed": managed,
            "slice": self._config.slice,
            "status": str(state),
            **(more or {}),
        }
        await self._post(DEPLOYMENT_STATUS, pairs)

    async def status(self, application: str, period_s: float, pairs: Mapping[str, str]) -> None:
        """Tell how an application is doing; said again every ``period_s`` seconds."""
        about = {"hostname": self._config.host, "slice": self._config.slice, "application": application}
        if self.heard:
            await self._post(STATUS, {**about, **pairs}, period_s)

    async def metrics(self, application: str, period_s: float, metrics: Mapping[str, str]) -> None:
        """Tell what an application says of itself in numbers; said again every ``period_s`` seconds."""
        about = {"hostname": self._config.host, "slice": self._config.slice, "application": application}
        numbers = {f"metric.{name}": number for name, number in metrics.items()}
        if self.heard:
            await self._post(METRICS, {**about, **numbers}, period_s)

    async def holdings(self, held: Mapping[Application, Held], *, asks: bool) -> None:
        """Tell what the agent holds; with ``asks`` it wants its orders again."""
        pairs = {"hostname": self._config.host, "slice": self._config.slice, **application_pairs(held)}
        if asks:
            pairs["asks"] = "yes"
        if self.heard:
            await self._post(HOLDINGS, pairs, self._config.status_period)

    async def answer(self, answer: Answer) -> None:
        """Answer a call; with the broker away nobody waits for it any more."""
        event = self._event(ANSWER, {"hostname": self._config.host, **answer.pairs})
        try:
            await self._bus.publish(event, exchange=CALLS)
        except DsmtError as error:
            _LOG.warning("a call cannot be answered: %s", error)

    async def health(self, condition: Condition) -> None:
        """Tell how this process is doing."""
        pairs = {"hostname": self._config.host, "slice": self._config.slice, **health_pairs(condition)}
        if self.heard:
            await self._post(HEALTH, pairs, PERIOD_S)

    async def _post(self, field: str, pairs: Mapping[str, str], period_s: float = 0.0) -> None:
        try:
            await self._bus.post(self._event(field, pairs, period_s))
        except DsmtError as error:
            # It cannot be said, now or ever; what it tells of goes on all the same.
            _LOG.warning("%s cannot be published: %s", field, error)

    def _event(self, field: str, pairs: Mapping[str, str], period_s: float = 0.0) -> Event:
        return self._sender.event(
            self._channel,
            field,
            now=time.time(),
            id_=uuid.uuid4().hex,
            pairs={name: legal_text(text) for name, text in pairs.items()},
            emit_rate=period_s,
            # A value holds until the next one had two chances to come.
            **({"expiry": max(VALUE_EXPIRY_S, 2.5 * period_s)} if period_s else ONCE),
        )
