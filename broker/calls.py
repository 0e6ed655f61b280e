"""What is to be done after each (re)connection, for whoever asked: `broker.bus.Bus.on_connected`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

Call = Callable[[], Awaitable[None]]
_log = logging.getLogger(__name__)


class Calls:
    """The calls of one bus, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._calls: dict[object, Call] = {}

    def add(self, call: Call) -> Callable[[], None]:
        """Have ``call`` made each time, until what is returned is called."""
        mark = object()
        self._calls[mark] = call

        def forget() -> None:
            self._calls.pop(mark, None)

        return forget

    def each(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Each as work to be awaited, in which nothing fails."""
        return (_logged(call) for call in tuple(self._calls.values()))


async def _logged(call: Call) -> None:
    try:
        await call()
    except Exception:  # noqa: BLE001 - it is somebody else's, and must end nothing
        _log.exception("what was to be done after connecting failed")
