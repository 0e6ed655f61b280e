"""Sites, people, and what a slice is to them, for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dsmtc.client import Account, Slice
from dsmtc.client.authority import Site
from dsmtc.client.checkups import AuthorityShown
from dsmtc.rendering.table import Table, View
from dsmtc.rendering.text import moment, size, span
from dsmtc.rendering.views import names, slice_line


def shown(found: AuthorityShown) -> View:
    """The authority of the installation, and how others come to trust it."""
    rows = [
        ("fingerprint", found["fingerprint"]),
        ("holds until", moment(found["ends"])),
        ("planner's certificate", f"until {moment(found['planner_ends'])}, renewed by itself"),
        ("who trusts it", f"--authority {found['fingerprint']}"),
    ]
    return [Table(("AUTHORITY", "IS"), rows)]


def sites(found: Sequence[Site]) -> View:
    """All sites."""
    rows = [
        (
            each["site"],
            "home" if each["home"] else "",
            str(each["people"]),
            str(each["slices"]),
            str(each["nodes"]),
            size(each["depot_bytes"]) if each.get("depot_bytes") else "-",
            each["description"] or "-",
        )
        for each in found
    ]
    columns = ("SITE", "", "PEOPLE", "SLICES", "NODES", "DEPOT OF EACH", "DESCRIPTION")
    return [Table(columns, rows, wide=frozenset({"DEPOT OF EACH"}))]


def people(found: Site) -> View:
    """Who belongs to a site."""
    listed = found["people"]
    rows = (
        [(one["account"], " ".join(one["roles"]) or "-") for one in listed]
        if isinstance(listed, list)
        else []
    )
    if not rows:
        return [f"nobody belongs to {found['site']} yet"]
    return [Table(("ACCOUNT", f"ROLES AT {found['site']}"), rows)]


def end_line(name: str, end: float, now: float) -> str:
    """How near the end of a slice is, and what to do."""
    left = (
        f"expires in {span(end - now)}" if end > now else f"expired {span(now - end)} ago, is deleted soon"
    )
    return f"slice {name} {left}; dsmtc renew --slice {name} --for 90d"


def slice_view(found: Slice, now: float) -> View:
    """One slice with what it is for, and whose it is."""
    yield slice_line(found)
    end = found.get("expires_at")
    rows = [
        ("site", found.get("site", "")),
        ("description", found.get("description", "")),
        ("url", found.get("url", "")),
        ("members", " ".join(found.get("members", []))),
        ("expires", f"in {span(end - now)}" if end and end > now else "is over" if end else "never"),
        ("packages", _taken(found)),
        ("applications", " ".join(names(found.get("applications", [])))),
    ]
    yield Table(("OF IT", "IS"), [(name, text or "-") for name, text in rows])
    if end and end < now:
        yield end_line(found["slice"], end, now)


def _taken(found: Slice) -> str:
    """Whose packages a slice takes."""
    if not found.get("signed_only"):
        return "of anybody"
    signers = " ".join(one["name"] for one in found.get("publishers", []))
    return f"only signed by {signers}" if signers else "no new ones: it has no publisher"


def accounts(found: Sequence[Account]) -> View:
    """All accounts."""
    rows = [
        (each["account"], _roles(each), each.get("site") or "-", "yes" if each["has_password"] else "no")
        for each in found
    ]
    return [Table(("ACCOUNT", "ROLES", "SITE", "PASSWORD"), rows)]


def account_line(found: Account) -> str:
    """An account in a few words."""
    return f"{found['account']} [{_roles(found)}]"


def _roles(found: Account) -> str:
    there = [f"{role}@{site}" for site, held in found.get("site_roles", {}).items() for role in held]
    return " ".join([*found["roles"], *there]) or "-"
