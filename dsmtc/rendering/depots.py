"""How the depot of a slice looks: what was removed, and what stays."""

from __future__ import annotations

from dsmtc.client.answers import Pruned
from dsmtc.rendering.table import Table, View
from dsmtc.rendering.text import size


def pruned(found: Pruned) -> View:
    """What went, or would go, and why the rest stays."""
    gone, verb = found["removed"], "would be removed" if found["dry_run"] else "removed"
    view: list[str | Table] = [f"{verb}: {len(gone)} packages, {size(found['bytes'])}"]
    if gone:
        rows = [(one["filename"], one["version"], size(one["size"])) for one in gone]
        view.append(Table(("FILE", "VERSION", "SIZE"), rows))
    if found["kept"]:
        view.append(
            Table(("STAYS", "BECAUSE"), [(one["filename"], one["reason"]) for one in found["kept"]])
        )
    return view
