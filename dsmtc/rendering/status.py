"""The status of a slice for people: current health first, then host by host; and what changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dsmtc.client import ApplicationStatus, HostStatus, SliceStatus
from dsmtc.client.answers import PlannerHealth
from dsmtc.rendering.authority import end_line
from dsmtc.rendering.catalogue import silence_line
from dsmtc.rendering.health import doing, headline, is_well, latest, unanswering, versions
from dsmtc.rendering.previews import held_line
from dsmtc.rendering.standings import budget_line
from dsmtc.rendering.table import Table, View
from dsmtc.rendering.text import since
from dsmtc.rendering.views import named_plan

COLUMNS: Final = (
    "HOST",
    "NODE",
    "CONTAINER",
    "AGENT",
    "APPLICATION",
    "STATE",
    "VERSION",
    "SINCE",
    "WANTED",
    "HEARD",
    "AGENT SINCE",
    "CONFIGURATION",
    "TEXT",
)
WIDE: Final = frozenset({"WANTED", "HEARD", "AGENT SINCE", "CONFIGURATION"})
# More reasons than fit on a screen say less than their number.
REASONS: Final = 10
# Of more hosts than a screen has lines, those that are well are only counted, and not all others are told.
MANY: Final = 40
MOST: Final = 100
# An end that is farther away is told by `slice show`.
_TOLD_S: Final = 7 * 86_400.0
_WAITING: Final = "waiting: "
COUNTED: Final = ("dropped", "refused", "lost")
STATES: Final = frozenset({"NODE", "CONTAINER", "AGENT", "STATE"})


def said(status: SliceStatus) -> str:
    """The counts as a line."""
    return " ".join(piece.text for piece in headline(status))


def status_view(status: SliceStatus, now: float, *, whole: bool = False) -> View:
    """The whole status: health first, then host by host.

    Args:
        status: as the planner told it.
        now: seconds since the epoch.
        whole: every host, also of many that are well.
    """
    managed = "managed" if status["managed"] else "NOT MANAGED"
    head = f"slice {status['slice']}: {managed}, {_plan(status)}"
    yield f"{head}, agent {status.get('agent') or 'none'}, generation {status['generation']}"
    yield headline(status)
    yield from versions(status)
    if (end := status.get("expires_at")) and end - now < _TOLD_S:
        yield end_line(status["slice"], end, now)
    if (held := status.get("held_back")) and held["hosts"]:
        yield held_line(held)
    yield from _first("no answer", unanswering(status, now))
    yield from _first("now", list(doing(status, now)))
    yield from _first("waiting", status.get("waiting_reasons", []))
    yield from _first("unwell", list(_unwell(status)))
    yield from _first("silent", [silence_line(one, now) for one in status.get("silences", [])])
    if last := latest(status, now):
        yield f"last change: {last}"
    if (kept := status.get("budget")) and not kept["is_default"]:
        yield f"budget: {kept['budget']}; {budget_line(kept)}"
    if own := status.get("planner"):
        yield planner_line(own)
    yield from _hosts(status["hosts"], now, whole=whole)


def _hosts(hosts: Sequence[HostStatus], now: float, *, whole: bool) -> View:
    worth = hosts if whole or len(hosts) <= MANY else [host for host in hosts if not is_well(host)]
    # The problem first; apart from that as the planner has them.
    shown = sorted(worth if whole else worth[:MOST], key=is_well)
    if rows := [row for host in shown for row in _rows(host, now)]:
        yield ""
        yield Table(COLUMNS, rows, STATES, WIDE, named=[host["host"] for host in hosts])
    more = [
        f"{count} hosts more {what}"
        for count, what in (
            (len(worth) - len(shown), "are not well"),
            (len(hosts) - len(worth), "are well"),
        )
        if count
    ]
    if more:
        yield ""
        yield f"{', '.join(more)}; -o wide shows every one, --node HOST one"


def planner_line(own: PlannerHealth) -> str:
    """How the planner itself is doing, in one line."""
    counts = ", ".join(f"{own[name]} {name}" for name in COUNTED)
    line = f"planner: broker {own['link']}, lag {own['lag_s'] * 1000:.0f} ms, {counts}"
    return f"{line}; rounds fail: {own['trouble']}" if own["trouble"] else line


def _first(what: str, lines: list[str]) -> Iterator[str]:
    """The first of many lines, and how many there are more."""
    for line in lines[:REASONS]:
        yield f"{what}: {line}"
    if len(lines) > REASONS:
        yield f"{what}: and {len(lines) - REASONS} more; --json tells all"


def _unwell(status: SliceStatus) -> Iterator[str]:
    for host in status["hosts"]:
        for told in host.get("unwell", []):
            yield f"{host['host']}: {told}"


def _plan(status: SliceStatus) -> str:
    return named_plan(status.get("plan"), status.get("plan_parameters", {}))


def changes(before: SliceStatus | None, after: SliceStatus) -> list[str]:
    """One line for each thing that is different; all of them at first."""
    known = dict(_facts(before)) if before else {}
    current = dict(_facts(after))
    lines = [f"{what} {told}".rstrip() for what, told in current.items() if known.get(what) != told]
    lines += [f"{what} gone" for what in known if what not in current and not what.startswith(_WAITING)]
    told_counts = said(after)
    if before is None or said(before) != told_counts:
        lines.append(told_counts)
    return lines


def _facts(status: SliceStatus) -> Iterator[tuple[str, str]]:
    """Each thing that may change, and what is said of it."""
    # One key, so that another plan is a change and not a plan gone: the line is "plan limit count=3".
    yield "plan", _plan(status).removeprefix("plan ")
    for reason in status.get("waiting_reasons", []):
        yield f"{_WAITING}{reason}", ""
    for told in _unwell(status):
        yield f"unwell {told}", ""
    for one in status.get("silences", []):
        about = " ".join(filter(None, (one["about"], one["field"])))
        yield f"{one['host'] or one['instance']} {about}", "silent"
    for host in status["hosts"]:
        name = host["host"]
        yield f"{name} node", host["node_state"]
        yield f"{name} container", host["container"]
        yield f"{name} agent", host["agent"]
        for each in host["applications"]:
            yield f"{name} {each['application']}", _application(each)


def _application(status: ApplicationStatus) -> str:
    parts = [status["state"], _version(status), _text(status)]
    return " ".join(part for part in parts if part)


def _rows(host: HostStatus, now: float) -> list[tuple[str, ...]]:
    heard: tuple[str, ...] = (host["container"], host["agent"])
    if is_lost := host["node_state"] == "failed":
        # What was heard last of a node that does not answer is no news.
        heard = tuple(f"was {state}" if state == "running" else state for state in heard)
    layers = (host["host"], host["node_state"], *heard)
    if not host["applications"]:
        return [(*layers, "-", "", "", "", "", *_known(host, now), "", host.get("reason") or "")]
    return [
        (
            *layers,
            each["application"],
            f"was {each['state']}" if is_lost and each["state"] == "running" else each["state"],
            _version(each),
            since(each.get("since"), now),
            " ".join(filter(None, (each["wanted"], each["wanted_version"]))),
            *_known(host, now),
            each.get("configuration") or "-",
            _text(each) or (host.get("reason") or "" if each["state"] != "running" else ""),
        )
        for each in host["applications"]
    ]


def _known(host: HostStatus, now: float) -> tuple[str, str]:
    """How long ago the node was heard, and for how long its agent is in its state."""
    return since(host.get("heard_at"), now) or "never", since(host.get("agent_since"), now) or "-"


def _version(status: ApplicationStatus) -> str:
    have, want = status.get("version") or "", status.get("wanted_version") or ""
    versions = f"{have} -> {want}".strip() if want and want != have else have
    configured, to_be = status.get("configuration", ""), status.get("wanted_configuration", "")
    if configured == to_be:
        return versions
    return f"{versions} -> configuration {to_be}" if to_be else f"{versions} -> no configuration"


def _text(status: ApplicationStatus) -> str:
    """What its script says; with a failure the reason first."""
    reason, text = status.get("reason") or "", status.get("text") or ""
    return ": ".join(part for part in (reason, text if text not in reason else "") if part)
