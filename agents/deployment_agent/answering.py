"""Answers the planner's calls: each once, a few at a time, and never in the way of orders.

A call is acknowledged before it is begun: one that was cut short by the end of this process is not carried
out again by the next.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from agents.deployment_agent.config import AgentConfig
from agents.deployment_agent.voice import Voice
from dsmt_core.calls import Answer, Call, Kind, call_of
from dsmt_core.errors import DsmtError, Full, Invalid
from dsmt_core.events import Event

Answerer = Callable[[Call], Awaitable[Answer]]
_AT_ONCE: Final = {Kind.LOGS: 16, Kind.EXEC: 4, Kind.PING: 16}
_REMEMBERED: Final = 1_024
_LOG = logging.getLogger(__name__)


class Answering:
    """Takes the calls of one agent.

    Args:
        config: whose.
        voice: how it answers.
        answer: carries one out.
    """

    def __init__(self, config: AgentConfig, voice: Voice, answer: Answerer) -> None:
        self._config = config
        self._voice = voice
        self._answer = answer
        self._known: OrderedDict[str, None] = OrderedDict()
        self._under_way = dict.fromkeys(Kind, 0)

    def heard(self, event: Event, group: asyncio.TaskGroup) -> None:
        """Take a call; it is carried out by a task of ``group``.

        Raises:
            Invalid: it is no call, or for another sliver.
        """
        call = call_of(event)
        if (call.host, call.slice) != (self._config.host, self._config.slice):
            raise Invalid("a call is for another sliver")
        if call.id in self._known:
            return
        self._known[call.id] = None
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        group.create_task(self._take(call))

    async def _take(self, call: Call) -> None:
        if call.kind is Kind.EXEC:
            _LOG.warning("%s runs %r as %s", call.by or "somebody", list(call.argv), call.application)
        self._under_way[call.kind] += 1
        try:
            answer = await self._carried_out(call)
        finally:
            self._under_way[call.kind] -= 1
        await self._voice.answer(answer)

    async def _carried_out(self, call: Call) -> Answer:
        try:
            self._check_room(call.kind)
            if call.kind is Kind.PING:
                return Answer(id=call.id)
            return await self._answer(call)
        except DsmtError as error:
            return Answer(id=call.id, error=error.message, code=error.code, hint=error.hint)
        except Exception:  # noqa: BLE001 - see below
            # A mistake of ours about one call must not end the agent.
            _LOG.exception("a call could not be carried out")
            return Answer(id=call.id, error="the agent failed at this call", code=DsmtError.code)

    def _check_room(self, kind: Kind) -> None:
        most = _AT_ONCE[kind]
        if self._under_way[kind] > most:
            raise Full(f"{most} calls of this kind are under way there", hint="try again later")
