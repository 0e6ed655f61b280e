"""The lot that a host draws in a plan: random-looking, and the same for ever.

A hash of our own, because those of libraries change between versions and would move services around: the
host's name is hashed once (BLAKE2b), and mixed with the plan's (SplitMix64's finaliser: G. Steele, D. Lea,
C. Flood, "Fast splittable pseudorandom number generators", 2014) by arithmetic on whole columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

Lots = npt.NDArray[np.uint64]

_PERSON: Final = b"dsmt.plan"
# The finaliser's shifts and factors.
_STEPS: Final = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST: Final = np.uint64(31)


def bases(names: Iterable[str]) -> Lots:
    """What each host brings to every lot."""
    return np.fromiter(map(_hash, names), dtype=np.uint64)


def lots(base: Lots, where: str) -> Lots:
    """The lots of hosts.

    Args:
        base: of `bases`.
        where: what they draw in: slice and plan.
    """
    mixed = base ^ np.uint64(_hash(where))
    for shift, factor in _STEPS:
        mixed = (mixed ^ (mixed >> shift)) * factor
    return mixed ^ (mixed >> _LAST)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8, person=_PERSON).digest())
