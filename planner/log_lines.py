"""Lines of logs of several nodes, one after the other as they were printed."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dsmt_core.names import Host

# 2026-11-28T02:08:28.123Z, as the sliver's init writes it.
_STAMP: Final = len("2026-11-28T02:08:28.123Z")


@dataclass(frozen=True, slots=True)
class Line:
    """One line, or what is in its way.

    Attributes:
        at: when it was printed, ISO 8601 by the node's clock; empty when that is not known.
        trouble: why there is none.
    """

    host: Host
    text: str = ""
    at: str = ""
    trouble: str = ""


def lines_of(host: Host, text: str, before: str = "") -> Iterator[Line]:
    """The lines in a piece of a log.

    Args:
        host: whose.
        text: of whole lines.
        before: when the line before them was printed: what has no time of its own was printed with it.
    """
    at = before
    for line in text.removesuffix("\n").split("\n") if text else ():
        if line[_STAMP - 1 : _STAMP + 1] == "Z " and line[4:5] == "-" and line[:4].isdecimal():
            at = line[:_STAMP]
            yield Line(host, line[_STAMP + 1 :], at)
        else:
            yield Line(host, line, at)


async def merged(streams: Sequence[AsyncIterator[Line]]) -> AsyncIterator[Line]:
    """The lines of several streams by time; what is in the way of one comes at once."""
    heads: list[tuple[str, int, Line]] = []
    for number, stream in enumerate(streams):
        if (line := await anext(stream, None)) is not None:
            heads.append((_order(line), number, line))
    heapq.heapify(heads)
    while heads:
        at, number, line = heapq.heappop(heads)
        yield line
        following = await anext(streams[number], None)
        if following is not None:
            # A clock that was set back must not bring a node's own lines out of order.
            heapq.heappush(heads, (max(at, _order(following)), number, following))


def _order(line: Line) -> str:
    return "" if line.trouble else line.at


def written(line: Line) -> dict[str, str]:
    """A line as the API shows it: ``host`` with ``text`` and ``at``, or with ``trouble``."""
    if line.trouble:
        return {"host": line.host, "trouble": line.trouble}
    return {"host": line.host, "at": line.at, "text": line.text}
