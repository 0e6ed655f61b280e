"""What a call asks for, in a real sliver: pieces of a log, and commands that are run as the application."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from agents.deployment_agent import log_file
from agents.deployment_agent.decide import Deployments
from agents.deployment_agent.hands import Hands
from agents.deployment_agent.paths import SliverPaths
from dsmt_core.calls import PIECE_BYTES, Answer, Call, Kind
from dsmt_core.errors import NotFound
from dsmt_core.events import legal_text

_LOOK_S: Final = 0.5


class LookingIn:
    """Carries out calls.

    Args:
        paths: where the sliver is.
        deployments: what is in it.
        hands: how commands are run there.
    """

    def __init__(self, paths: SliverPaths, deployments: Deployments, hands: Hands) -> None:
        self._paths = paths
        self._deployments = deployments
        self._hands = hands

    async def answer(self, call: Call) -> Answer:
        """The answer to a call.

        Raises:
            NotFound: there is no such application here.
            Conflict: the command cannot be started.
            Unavailable, DeadlinePassed: the log cannot be read, or the sliver's init does not answer.
        """
        if call.application not in self._deployments:
            raise NotFound(f"{call.application} is not here", hint="it is not installed, or not yet")
        return await (self._exec(call) if call.kind is Kind.EXEC else self._logs(call))

    async def _logs(self, call: Call) -> Answer:
        loop = asyncio.get_running_loop()
        end = loop.time() + call.wait_s
        since = time.time() - call.since_s if call.since_s else 0.0
        wish = log_file.Wish(after=call.after, lines=call.lines, since=since)
        while True:
            piece = await asyncio.to_thread(log_file.read, self._paths.var, call.application, wish)
            if piece.text or piece.lost or loop.time() >= end:
                text = legal_text(piece.text)
                return Answer(id=call.id, text=text, place=piece.place, more=piece.more, lost=piece.lost)
            await asyncio.sleep(min(_LOOK_S, max(0.0, end - loop.time())))

    async def _exec(self, call: Call) -> Answer:
        name = call.application
        ran = await self._hands.run(
            name, self._deployments[name], call.argv, timeout_s=call.timeout_s, limit=PIECE_BYTES + 1
        )
        text = ran.output.encode()
        return Answer(
            id=call.id,
            text=legal_text(text[:PIECE_BYTES].decode(errors="replace")),
            exit=ran.code,
            timed_out=ran.timed_out,
            cut=len(text) > PIECE_BYTES,
        )
