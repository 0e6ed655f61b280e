"""Commands that people run as an application on its nodes.

Nothing here changes what is wanted. Who runs what where is said in an event and in the log before it runs;
what cannot be said is not run.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from dsmt_core.calls import EXEC_MOST_S, EXEC_S, Call, Kind, check_command
from dsmt_core.channels import Channel, component_channel
from dsmt_core.errors import DsmtError, Invalid
from dsmt_core.events import legal_text
from dsmt_core.names import PLANNER, Account, Application, Host, Slice, manager_of
from planner.catalogue.parts import EXECUTED
from planner.service.calls import Calls
from planner.service.places import Places
from planner.service.voice import Voice

_COMMAND_SHOWN: Final = 1_000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command.

    Attributes:
        application: as which it runs.
        at: a node or a plan.
        argv: word by word.
        timeout_s: how long it may take; 0: as long as usual.
    """

    application: Application
    at: str
    argv: tuple[str, ...]
    timeout_s: float = 0.0


class Commands:
    """Has commands run.

    Args:
        places: which hosts are meant.
        calls: asks agents.
        voice: tells who ran what.
    """

    def __init__(self, places: Places, calls: Calls, voice: Voice) -> None:
        self._places = places
        self._calls = calls
        self._voice = voice

    async def run(self, slice_: Slice, command: Command, by: Account) -> list[dict[str, Any]]:
        """Run a command on each host that is meant; how it ended there.

        Raises:
            NotFound, Conflict, Full: of `Places.hosts`.
            Invalid: it is no command, or the time is not legal.
            Unavailable: who runs it cannot be said now.
        """
        check_command(command.argv)
        limit = command.timeout_s or EXEC_S
        if not 0 < limit <= EXEC_MOST_S:
            raise Invalid(f"a time limit of {limit:g} s", hint=f"at most {EXEC_MOST_S:g} s")
        hosts = self._places.hosts(slice_, command.application, command.at)
        call = Call(
            kind=Kind.EXEC,
            id=secrets.token_hex(16),
            host=hosts[0],
            slice=slice_,
            application=command.application,
            argv=command.argv,
            timeout_s=limit,
            by=by,
        )
        channel, pairs = _about(call, hosts)
        _log.warning("a command begins", slice=slice_, **pairs)
        await self._voice.say(channel, EXECUTED, {"phase": "begins", **pairs}, service=manager_of(slice_))
        results = await asyncio.gather(*(self._run_on(call, host) for host in hosts))
        await self._ended(call, hosts, [one["host"] for one in results if one["trouble"] or one["exit"]])
        return results

    async def _run_on(self, call: Call, host: Host) -> dict[str, Any]:
        result = {"host": host, "exit": 0, "output": "", "timed_out": False, "cut": False, "trouble": ""}
        if trouble := self._places.trouble(host):
            return {**result, "trouble": trouble}
        mine = replace(call, id=secrets.token_hex(16), host=host)
        try:
            answer = await self._calls.ask(mine, wait_s=mine.timeout_s)
        except DsmtError as error:
            return {**result, "trouble": error.message}
        return {
            **result,
            "exit": answer.exit,
            "output": answer.text,
            "timed_out": answer.timed_out,
            "cut": answer.cut,
        }

    async def _ended(self, call: Call, hosts: Sequence[Host], failed: Sequence[Host]) -> None:
        channel, pairs = _about(call, hosts)
        pairs |= {"failed": ",".join(failed)} if failed else {}
        _log.warning("a command ended", slice=call.slice, **pairs)
        try:
            await self._voice.tell(call.slice, channel, EXECUTED, {"phase": "ended", **pairs})
        except DsmtError as error:
            _log.warning("the end of a command could not be published", reason=str(error))


def _about(call: Call, hosts: Sequence[Host]) -> tuple[Channel, dict[str, str]]:
    """Where who ran what is said, and what."""
    pairs = {
        "run": call.id,
        "by": call.by,
        "application": call.application,
        "command": legal_text(" ".join(call.argv)[:_COMMAND_SHOWN]),
        "hosts": ",".join(hosts),
    }
    return Channel(f"{component_channel(call.slice, PLANNER)}status/"), pairs
