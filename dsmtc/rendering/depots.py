"""How the depot of a slice looks: what was removed, and what stays."""

from __future__ import annotations

from dsmtc.client.kept import Pruned, Room
from dsmtc.rendering.table import Part, Table, View
from dsmtc.rendering.text import size


def pruned(found: Pruned) -> View:
    """What went, or would go, and why the rest stays."""
    gone, verb = found["removed"], "would be removed" if found["dry_run"] else "removed"
    view: list[Part] = [f"{verb}: {len(gone)} packages, {size(found['bytes'])}"]
    if gone:
        rows = [(one["filename"], one["version"], size(one["size"])) for one in gone]
        view.append(Table(("FILE", "VERSION", "SIZE"), rows))
    if found["kept"]:
        view.append(
            Table(("STAYS", "BECAUSE"), [(one["filename"], one["reason"]) for one in found["kept"]])
        )
    return view


def room(found: Room) -> View:
    """How much a slice keeps, and may keep."""
    used, allowed = size(found["used"]), found["allowed"]
    if allowed:
        whose = "the planner's default" if found["is_default"] else "its own"
        view = [f"{found['slice']} keeps {used} of {size(allowed)} ({whose})"]
    else:
        view = [f"{found['slice']} keeps {used}; it has no bound of its own"]
    if most := found.get("site_allowed", 0):
        view.append(
            f"all slices of {found.get('site')} keep {size(found.get('site_used', 0))} of {size(most)}"
        )
    return view
