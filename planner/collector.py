"""How often Python looks for cycles in a planner, a tenth of whose time that would take.

It looks whenever so many new objects were made (700 of itself), and most of a planner's are rows that live
as long as their nodes. What is loaded at the start stays, too.
"""

from __future__ import annotations

import gc
from typing import Final

_AFTER: Final = 50_000


def rest() -> None:
    """While much is loaded that stays: it does not look at all."""
    gc.disable()


def work() -> None:
    """From now on it looks, now and then, and never at what is there by now."""
    gc.freeze()
    gc.set_threshold(_AFTER)
    gc.enable()
