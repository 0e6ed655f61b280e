"""How nodes stand, and what disruption budgets allow, for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dsmtc.client import Budget, Node, Standing, Stood
from dsmtc.rendering.table import Table, View
from dsmtc.rendering.text import moment, span


def told(standing: Standing | None) -> str:
    """How a node stands in one cell; empty in service."""
    if not standing or not standing["sentence"]:
        return ""
    late = "over time: " if standing["late"] and standing["left"] else ""
    sentence = standing["sentence"]
    if standing["state"] == "drained":
        # The sentence tells what is wanted; here it has come about.
        sentence = sentence.replace("draining", "drained", 1)
    left = (
        f"; still there: {', '.join(one['slice'] for one in standing['left'])}" if standing["left"] else ""
    )
    return f"{late}{sentence}{left}"


def standing_column(found: Sequence[Node]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The head of a column and its cell for each node; none of them where all nodes are in service."""
    cells = [told(each.get("standing")) for each in found]
    if not any(cells):
        return (), [()] * len(cells)
    return ("STANDING",), [(cell or "-",) for cell in cells]


def would_change(verb: str, standing: Standing) -> bool:
    """Whether a verb would say something new of a node; one that repeats itself tells no more."""
    there = {
        "cordon": "cordoned" not in standing,
        "uncordon": "cordoned" in standing or "drain" in standing,
        "drain": "drain" not in standing,
        "cancel-drain": "drain" in standing,
        "exclude": "excluded" not in standing,
        "include": "excluded" in standing,
        "distrust": "distrusted" not in standing,
        "cancel-windows": bool(standing.get("windows")),
    }
    return there.get(verb, True)


def stood(found: Sequence[Stood], now: float, *, dry_run: bool = False) -> View:
    """The nodes that something was said of, and how they stand then; or, dry, now."""
    for one in found:
        said = told(one["standing"]) or "in service"
        note = " now" if dry_run else "" if one.get("changed") else " (as before)"
        yield f"node {one['host']}: {said}{note}"
        yield from windows(one["standing"], now)
    if dry_run:
        yield f"{len(found)} meant; nothing was changed"


def windows(standing: Standing | None, now: float) -> View:
    """The windows of a node, one a line."""
    for one in standing.get("windows", []) if standing else []:
        lasts = span(one["ends"] - one["begins"])
        every = {86_400.0: ", every day", 604_800.0: ", every week"}.get(one["every"], "")
        lead = f", lead {span(one['lead'])}" if one["lead"] else ""
        why = f": {one['reason']}" if one["reason"] else ""
        over = " (over)" if not one["every"] and one["ends"] <= now else ""
        yield f"  window from {moment(one['begins'])} for {lasts}{every}{lead}{why} (by {one['by']}){over}"


def left(standing: Standing | None) -> View:
    """What is to leave a node and is still there, with the reason."""
    rows = [(one["slice"], one["reason"]) for one in (standing["left"] if standing else [])]
    if rows:
        yield ""
        yield Table(("STILL THERE", "BECAUSE"), rows)


def progress(found: Sequence[Stood]) -> str:
    """How far a drain is, in one line."""
    parts = [f"{one['host']}: {_left(one['standing'])}" for one in found]
    return "; ".join(parts) or "in service again"


def _left(standing: Standing) -> str:
    if not standing["left"]:
        return "nothing is left"
    late = "over time, " if standing["late"] else ""
    slices = ", ".join(f"{one['slice']} ({one['reason']})" for one in standing["left"])
    return f"{late}still there: {slices}"


def budget(found: Budget) -> View:
    """A disruption budget and what it allows now."""
    default = " (the default)" if found["is_default"] else ""
    yield f"slice {found['slice']}: {found['budget']}{default}"
    yield budget_line(found)
    if found["contradiction"]:
        yield f"this leaves no room: {found['contradiction']}; drains and roll-outs wait"


def budget_line(found: Budget) -> str:
    """What a budget allows now, in one line."""
    counts = f"{found['up']} of {found['wanted']} up, at least {found['least']} must be"
    return f"{counts}, {found['allowance']} may be taken down now"
