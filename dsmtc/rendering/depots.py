"""How the depot of a slice looks: what was removed, and what stays."""

from __future__ import annotations

from collections.abc import Sequence

from dsmtc.client.kept import PackageKnown, Pruned, Room, Stored
from dsmtc.client.signed import PackageSigner, PublishersShown
from dsmtc.rendering.table import Part, Table, View
from dsmtc.rendering.text import moment, since, size


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


def about(found: PackageKnown, now: float) -> View:
    """All about one package."""
    put_at = found["put_at"]
    when = f"{moment(put_at)}, {since(put_at, now)} ago" if isinstance(put_at, int | float) else put_at
    exact = f" ({found['size']} bytes)"
    rows = [
        ("kind", found["kind"]),
        ("name", f"{found['name']} {found['version']} {found['arch'] or 'noarch'}"),
        ("application", found["application"] or "-"),
        ("scripts", " ".join(found.get("scripts", [])) or "-"),
        ("size", size(found["size"]) + exact),
        ("sha256", found["digest"]),
        ("put", f"{when} by {found['put_by'] or 'nobody that the audit log still knows'}"),
        *_each("requires", found["requires"]),
        *_each("provides", found.get("provides", [])),
        *_each("signed", [_signature(one, now) for one in found.get("signatures", [])] or ["by nobody"]),
        *_each("used", found["uses"] or ["by nothing: dsmtc depot remove takes it away"]),
        *_each("on", found["hosts"]),
        *_each("also in", found["slices"]),
    ]
    return [found["filename"], Table(("OF IT", "IS"), rows)]


def _each(name: str, told: Sequence[str]) -> list[tuple[str, str]]:
    """A row for each, the name beside the first."""
    return [(name if at == 0 else "", text) for at, text in enumerate(told)]


def _signature(one: PackageSigner, now: float) -> str:
    whose = f"by {one['publisher']}" if one["publisher"] else "by no publisher of this slice"
    return f"{whose}, {one['key']}, brought by {one['by']} {since(one['at'], now)} ago"


def lacking(slice_: str, kept: Sequence[Stored]) -> list[str]:
    """What to say of packages that were put without a signature that their slice demands."""
    names = [one["filename"] for one in kept if one.get("lacks_signature")]
    if not names:
        return []
    return [
        f"{slice_} takes signed packages only, and no publisher of it has signed {', '.join(names)}",
        f"  no node will use it; sign it: dsmtc depot sign {' '.join(names)} --sign KEYFILE",
    ]


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
