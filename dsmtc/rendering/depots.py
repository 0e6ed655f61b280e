"""How the depot of a slice looks: what was removed, and what stays."""

from __future__ import annotations

from dsmtc.client.kept import Pruned, Room
from dsmtc.client.signed import PublishersShown
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


def publishers(found: PublishersShown) -> View:
    """Whose packages a slice takes, and what of it is not signed."""
    view = list(_publishers(found))
    if keys := found.get("rpm_keys"):
        view.append(f"an RPM that is put must carry a signature of its own, of {' or '.join(keys)}")
    return view


def _publishers(found: PublishersShown) -> View:
    if not found["signed_only"]:
        return [f"{found['slice']} takes any package, signed or not; dsmtc publishers add NAME FILE.pub"]
    if not found["publishers"]:
        return [f"{found['slice']} takes no new packages: it has no publisher"]
    rows = [(one["name"], one["fingerprint"]) for one in found["publishers"]]
    lines = [f"{one['of']}: {', '.join(one['files'])}" for one in found["unsigned"]]
    view: list[Part] = [Table(("PUBLISHER", "KEY"), rows)]
    if lines:
        view += ["not signed by them, so brought to no further host:", *(f"  {line}" for line in lines)]
    return view
