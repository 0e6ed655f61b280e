"""Removes the cgroups of slivers that are no more: a manager that was killed may have left some.

Rule: only what has the mark of a sliver of this node's own data, whose directory is gone, is touched; what
still has a process in it is left, and told in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from agents.container_manager.limits.groups import PREFIX, Groups
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import Invalid
from dsmt_core.names import Slice, slice_name

MOST: Final = 10_000
"""Groups looked at, in each tree."""

log = logging.getLogger(__name__)


def sweep(groups: Groups, place: Callable[[Slice], Place]) -> list[str]:
    """Remove the groups of slivers of this node that have no directory; blocks.

    Args:
        groups: where slivers get theirs.
        place: of a sliver of this node.

    Returns:
        The marks of what was removed, or tried to.
    """
    found: set[str] = set()
    for tree in groups.trees:
        try:
            names = [path.name for path, _ in zip(tree.base.glob(f"{PREFIX}*"), range(MOST), strict=False)]
        except OSError as error:
            log.warning("the cgroups in %s cannot be looked at: %s", tree.base, error)
            continue
        found.update(name.removeprefix(PREFIX) for name in names)
    gone = sorted(mark for mark in found if _is_gone(mark, place))
    for mark in gone:
        log.info("the cgroups of the sliver %s, which is no more, are removed", mark)
        groups.remove(mark)
    return gone


def _is_gone(mark: str, place: Callable[[Slice], Place]) -> bool:
    try:
        where = place(slice_name(mark.rpartition(".")[0]))
    except Invalid:
        return False
    # Another node on this machine has another mark for the same slice.
    return where.mark == mark and not where.directory.exists()
