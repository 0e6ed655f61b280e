"""Whether a sliver fits on its node: what was promised to the others, and what the node has.

Limits are taken for promises: the node must be able to keep them all at once. What has no limit was
promised nothing, and takes what is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dsmt_core.limits import DOES_NOT_FIT, Limits, shown, shown_size


def refusal(asked: Limits, promised: Iterable[Limits], capacity: Limits) -> str:
    """Why a sliver does not fit; empty when it does.

    Args:
        asked: its limits.
        promised: those of all other slivers that run.
        capacity: what the node has for slivers; a number of 0 is as much as anybody likes.
    """
    others = [one.numbers for one in promised]
    for name, most in capacity.numbers.items():
        wanted = asked.numbers.get(name, 0)
        taken = sum(one.get(name, 0) for one in others)
        # Of open files each process has its own.
        if wanted and name != "files" and taken + wanted > most:
            free = max(most - taken, 0)
            return (
                f"{DOES_NOT_FIT}: it may take {shown(name, wanted)} of {name},"
                f" and {shown(name, free)} of {shown(name, most)} are not promised to others"
            )
    return ""


def raised(asked: Limits, before: Limits) -> Limits:
    """What of the limits asked for is promised anew to a sliver that runs with ``before``.

    What was smaller or not limited is; what stays, falls or is limited no longer is not.
    """
    return replace(
        asked,
        memory=0 if asked.memory <= before.memory else asked.memory,
        cpu=0.0 if asked.cpu <= before.cpu else asked.cpu,
        processes=0 if asked.processes <= before.processes else asked.processes,
        disk=0 if asked.disk <= before.disk else asked.disk,
    )


def overfull(used: int, quota: int) -> str:
    """Why a sliver may have no processes: its files take more than they may; empty when it may.

    Args:
        used: bytes.
        quota: bytes; 0 for any number.
    """
    if not quota or used <= quota:
        return ""
    return f"{DOES_NOT_FIT}: its files take {shown_size(used)} of the {shown_size(quota)} that it may"
