"""Long looks at what is seen, in pieces: between two of them the event loop does what else there is.

What is seen lives in the loop, and changes there alone. So whoever looks at all of it cannot do so in a
thread; and who looks for a tenth of a second in one piece has every heartbeat wait for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")
K = TypeVar("K")

PIECE: Final = 200


async def in_pieces(steps: Generator[None, None, T]) -> T:
    """What a generator returns; each of its steps is a piece."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            returned: T = end.value
            return returned
        await asyncio.sleep(0)


async def each(keys: Sequence[K], tell: Callable[[K], Iterable[T]]) -> list[T]:
    """What is told of many things, `PIECE` of them in one piece; of what is gone meanwhile, nothing."""
    found: list[T] = []
    for number, key in enumerate(keys, 1):
        found += tell(key)
        if not number % PIECE:
            await asyncio.sleep(0)
    return found
