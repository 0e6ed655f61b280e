"""A check by network: whether somebody listens at a port of the sliver, or answers there by HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass
from typing import Final

from agents.deployment_agent.sliver import Reached, Sliver
from dsmt_core.errors import Conflict, Unavailable
from dsmt_core.watch import Address, address

# https://www.rfc-editor.org/rfc/rfc9112#name-status-line
_STATUS_LINE: Final = re.compile(r"HTTP/\d\.\d (\d{3})(?: (.*))?\r?\Z")
_GOOD: Final = range(200, 400)
_LINE_BYTES: Final = 4096
# How an init answers a request that it does not know.
_NOT_KNOWN: Final = "is not an operation"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check by network says.

    Attributes:
        code: 0: passed; 1: not; None: no answer in time.
        text: what was answered, or what is in the way.
    """

    code: int | None
    text: str


async def probe(sliver: Sliver, check: str, *, timeout_s: float) -> Answer:
    """Make a check.

    Args:
        sliver: where.
        check: as `dsmt_core.watch.Watch.check`.
        timeout_s: seconds that it may take.

    Raises:
        Unavailable, DeadlinePassed: the sliver's init does not answer: nothing is known.
    """
    where = address(check)
    say = _request(where) if where.path else ""
    try:
        reached = await sliver.reach(where.host, where.port, say, timeout_s=timeout_s)
    except Conflict as error:
        if _NOT_KNOWN not in error.message:
            # It has too much to do. This process is no substitute: programs may have another network.
            raise Unavailable(error.message, hint=error.hint) from error
        # An init of an older DSMT, which goes on for as long as its sliver; its agent is inside with it.
        reached = await reach_from_here(where, say, timeout_s=timeout_s)
    return judged(where, reached)


def judged(where: Address, reached: Reached) -> Answer:
    """What came of reaching a port."""
    if reached.timed_out:
        return Answer(None, "no answer")
    if not reached.connected or reached.trouble:
        return Answer(1, reached.trouble or "not connected")
    if not where.path:
        return Answer(0, "connected")
    status = _STATUS_LINE.match(reached.line)
    if status is None:
        said = reached.line.strip()
        return Answer(1, f"it answers no HTTP: {said}" if said else "it answers nothing")
    text = " ".join(filter(None, (status[1], (status[2] or "").strip())))
    return Answer(0 if int(status[1]) in _GOOD else 1, text)


async def reach_from_here(where: Address, say: str, *, timeout_s: float) -> Reached:
    """The same as `Sliver.reach`, by this process."""
    writer = None
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(where.host, where.port, limit=_LINE_BYTES)
            if not say:
                return Reached(connected=True)
            writer.write(say.encode())
            line = await reader.readline()
            return Reached(connected=True, line=line.decode(errors="replace").rstrip("\n"))
    except TimeoutError:
        return Reached(connected=False, timed_out=True)
    except (OSError, ValueError) as error:
        return Reached(connected=False, trouble=getattr(error, "strerror", None) or str(error))
    finally:
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _request(where: Address) -> str:
    host = f"[{where.host}]" if ":" in where.host else where.host
    lines = (
        f"GET {where.path} HTTP/1.1",
        f"Host: {host}:{where.port}",
        "User-Agent: dsmt-agent",
        "Accept: */*",
        "Connection: close",
    )
    return "\r\n".join(lines) + "\r\n\r\n"
