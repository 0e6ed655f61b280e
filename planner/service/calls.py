"""Calls of agents, for people who wait: each is published once and answered once, or given up in time."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from broker.bus import Bus, Link
from broker.topology import ANSWERS
from dsmt_core.calls import ANSWER, Answer, Call, Kind, answer_of
from dsmt_core.channels import DEPLOYMENT
from dsmt_core.errors import DeadlinePassed, DsmtError, Full, Unavailable, from_code
from dsmt_core.events import Event
from dsmt_core.names import Host
from planner.service.voice import Voice

ANSWER_S: Final = 8.0
"""How long an agent that has nothing to wait for may take."""
UNDER_WAY: Final = 512
PINGS: Final = 20_000
"""Of the calls that only ask who is there: they cost an agent nothing, and are many or none."""
# So many wait for the broker's confirmation at once; those beside them wait their turn.
_SENDING: Final = 128
_AGAIN_S: Final = 0.5
_Waiting = dict[str, tuple[Host, asyncio.Future[Answer]]]
_log = structlog.get_logger(__name__)


class Calls:
    """Asks, and hears the answers.

    Args:
        bus: of the planner.
        voice: asks.
    """

    def __init__(self, bus: Bus, voice: Voice) -> None:
        self._bus = bus
        self._voice = voice
        self._waiting: _Waiting = {}
        self._pings: _Waiting = {}
        self._sending = asyncio.Semaphore(_SENDING)

    async def serve(self) -> None:
        """Hear answers, for ever."""
        while True:
            try:
                async with self._bus.consume(ANSWERS, under=DEPLOYMENT) as deliveries:
                    async for delivery in deliveries:
                        delivery.ack()
                        self._heard(delivery.event)
            except DsmtError as error:
                _log.warning("answers are heard again", reason=str(error))
            await asyncio.sleep(_AGAIN_S)

    async def ask(self, call: Call, *, wait_s: float = 0.0) -> Answer:
        """What an agent answers to a call.

        Args:
            call: with an id that was never used.
            wait_s: how long its answer takes at most by what it asks for, before `ANSWER_S` more.

        Raises:
            DsmtError: what the agent answers instead; and all of `answered`.
        """
        answer = await self.answered(call, within_s=wait_s + ANSWER_S)
        if answer.error:
            raise from_code(answer.code or DsmtError.code, answer.error, answer.hint)
        return answer

    async def answered(self, call: Call, *, within_s: float) -> Answer:
        """The answer to a call, be it that there is nothing of what it asked for.

        Raises:
            DeadlinePassed: there was none in time.
            Unavailable: the broker is away; nothing was asked, or that is not known.
            Full: too many are under way.
        """
        self.check_link()
        waiting, most = self._room(call.kind)
        if len(waiting) >= most:
            raise Full(f"{most} calls of agents are under way already", hint="try again later")
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        waiting[call.id] = call.host, answered
        try:
            async with asyncio.timeout(within_s):
                async with self._sending:
                    await self._voice.call(call)
                return await answered
        except TimeoutError:
            raise DeadlinePassed(
                f"{call.host} did not answer within {within_s:g} s",
                hint="the node is away, or its agent is of a DSMT that knows no such calls",
            ) from None
        finally:
            del waiting[call.id]

    def check_link(self) -> None:
        """Check that agents can be asked at all.

        Raises:
            Unavailable: the broker is away.
        """
        if self._bus.health.link is not Link.CONNECTED:
            raise Unavailable("the broker is away", hint="try again when dsmtc status says that it is back")

    def _room(self, kind: Kind) -> tuple[_Waiting, int]:
        return (self._pings, PINGS) if kind is Kind.PING else (self._waiting, UNDER_WAY)

    def _heard(self, event: Event) -> None:
        if event.field != ANSWER:
            return
        try:
            answer = answer_of(event)
        except DsmtError as error:
            _log.debug("an answer is none", channel=event.channel, reason=str(error))
            return
        nobody = Host(""), None
        host, answered = self._waiting.get(answer.id) or self._pings.get(answer.id) or nobody
        # Only who was asked may answer: the channel, which is checked, names the host.
        if answered is not None and not answered.done() and event.channel.endswith(f"/status/{host}/"):
            answered.set_result(answer)
