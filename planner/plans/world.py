"""What a plan may look at: the hosts, which of them failed, who is in the slice, and what they are like.

Columns, not hosts one by one: a function decides about all hosts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from dsmt_core.names import Host, Slice
from planner.plans.ground import Ground, Mask, Rows
from planner.plans.lots import Lots, lots

ALIVE: Final = 0
# Nothing certain is known of it: suspect, or not heard yet.
DOUBTFUL: Final = 1
# The verdict, also of one that came back and is still on probation.
FAILED: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """A question: where is an application in a state?

    Attributes:
        state: of the life cycle.
        application: empty for any.
        slice: whose application it is; empty for the slice that selects.
        lately_s: also where it is in another state for less than so many seconds.
    """

    state: str
    application: str = ""
    slice: str = ""
    lately_s: float = 0.0


States = Callable[[Doing], Iterable[Host]]


@dataclass(frozen=True, slots=True)
class Barred:
    """The hosts that no plan may choose, whatever it says.

    Attributes:
        mask: true for them.
        why: says why of one of them.
    """

    mask: Mask
    why: Callable[[Host], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The hosts as one evaluation sees them.

    Attributes:
        slice: the slice that selects.
        ground: every host that is known, and what does not change with the slice.
        trust: how much a host is to be avoided, of `ALIVE`, `DOUBTFUL` and `FAILED`; in this order a plan
            chooses.
        members: the hosts of the slice now; what still qualifies among them is kept.
        states: what applications are doing.
        misfits: hosts that have failed for this slice alone, and why.
        barred: the hosts that are out of service; to every function it is as if they were not there. None
            when all are in service.
        unknown_stays: a host of the slice of which something is not known keeps its place; not so in what
            is subtracted: nobody is taken away for what is not known.
    """

    slice: Slice
    ground: Ground
    trust: npt.NDArray[np.int8]
    members: Mask
    states: States = lambda _doing: ()
    misfits: Mapping[Host, str] = field(default_factory=dict)
    barred: Barred | None = None
    unknown_stays: bool = True

    @property
    def staying(self) -> Mask:
        """The hosts that are in when it is not known whether they qualify."""
        return self.members if self.unknown_stays else np.zeros_like(self.members)

    @property
    def failed(self) -> Mask:
        """The hosts that failed."""
        failed: Mask = self.trust == FAILED
        return failed

    def inverted(self) -> World:
        """The world for what is subtracted: there, staying means to stay outside of the slice."""
        return replace(self, members=~self.members, unknown_stays=False)

    def lots(self, plan: str, rows: Rows) -> Lots:
        """Where the hosts in these rows stand in the order of choice of a plan."""
        return lots(self.ground.bases[rows], f"{self.slice}\0{plan}")


def trust_of(ground: Ground, failed: Iterable[Host], doubtful: Iterable[Host]) -> npt.NDArray[np.int8]:
    """The column of trust; a host that is in both has failed."""
    column = np.full(len(ground), ALIVE, dtype=np.int8)
    column[ground.mask(doubtful)] = DOUBTFUL
    column[ground.mask(failed)] = FAILED
    return column
