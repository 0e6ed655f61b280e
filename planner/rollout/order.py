"""Which hosts come first in a roll-out: by lot, and spread over sites; always the same for the same hosts.

The lots are those of plans (`planner.plans.lots`), drawn for each application: the host that comes first
for one is not the first for all.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dsmt_core.names import Application, Host, Slice
from planner.plans.draw import levels
from planner.plans.ground import site_of
from planner.plans.lots import bases, lots


def in_order(slice_: Slice, application: Application, hosts: Iterable[Host]) -> list[Host]:
    """The hosts, those that come first at the front: one of each site, then a second one."""
    named = sorted(hosts)
    if not named:
        return []
    drawn = lots(bases(named), f"{slice_} {application}")
    _, sites = np.unique([site_of(host) for host in named], return_inverse=True)
    rank = levels(drawn, sites.astype(np.int32), np.empty(0, dtype=np.int32))
    return [named[row] for row in np.lexsort((drawn, rank))]
