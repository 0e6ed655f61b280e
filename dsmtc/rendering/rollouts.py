"""Roll-outs for people. Pure."""

from __future__ import annotations

from typing import Final

from dsmt_core.several import several
from dsmtc.client.rolled import Foreseen, Rollout
from dsmtc.rendering.table import Table, View
from dsmtc.rendering.text import moment, span

_FEW: Final = 10
_BAR: Final = 30


def progress(rollout: Rollout) -> str:
    """How far it is, in one line."""
    wave = f"wave {rollout['wave']} of {len(rollout['waves'])}"
    counts = (
        f"{rollout.get('new', 0)} of {rollout.get('hosts', 0)} have it, {rollout.get('running', 0)} run"
    )
    failed = f", {rollout['failures']} failed" if rollout["failures"] else ""
    place = f", {wave} (up to {rollout.get('target', 0)})" if rollout["active"] else ""
    return f"{_named(rollout)}: {rollout['phase']}{place}: {counts}{failed}"


def bar(rollout: Rollout) -> str:
    """The hosts that have the new version, as a bar."""
    hosts = max(rollout.get("hosts", 0), 1)
    full = rollout.get("new", 0) * _BAR // hosts
    return f"[{'#' * full}{'.' * (_BAR - full)}]"


def shown(rollout: Rollout) -> View:
    """All about one."""
    yield progress(rollout)
    yield from (f"changes: {change}" for change in rollout.get("changes", []))
    yield f"{bar(rollout)} {rollout['reason']}"
    yield (
        f"waves {','.join(rollout['waves'])}; healthy for {rollout['min_healthy_s']:g} s, "
        f"deadline {rollout['deadline_s']:g} s, back at {rollout['errors']} failed, "
        f"{rollout['need']} of a wave"
    )
    yield from rollout.get("waits", [])
    awaited = rollout.get("awaited", [])
    if awaited:
        yield f"awaited: {several(awaited, _FEW)}"
    if rollout["failed"]:
        yield Table(("failed", "reason"), list(rollout["failed"].items())[:_FEW])


def listed(rollouts: list[Rollout]) -> View:
    """Several, one a line."""
    if not rollouts:
        yield "there was no roll-out"
    for rollout in rollouts:
        yield progress(rollout)


def history(rollouts: list[Rollout]) -> View:
    """Those of one application, the latest first."""
    if not rollouts:
        yield "there was no roll-out"
        return
    rows = [
        (
            str(one["number"]),
            _change(one),
            one["phase"],
            one["by"],
            moment(one["began_at"]),
            span(one["moved_at"] - one["began_at"]),
            ",".join(one["waves"]),
            str(one["failures"]),
            one["reason"],
        )
        for one in rollouts
    ]
    columns = ("number", "change", "phase", "by", "began", "took", "waves", "failures", "reason")
    wide = frozenset({"began", "took", "waves", "failures"})
    yield Table(columns, rows, frozenset({"phase"}), wide)


def foreseen(answer: Foreseen) -> View:
    """What it would do."""
    if not answer["changes"] and not any(wave["hosts"] for wave in answer["waves"]):
        yield f"nothing to do: every host has {answer['application']} {answer['version']} so already"
        yield f"index {answer['index']}"
        return
    yield f"of {answer['application']} {answer['from_version']} would change:"
    yield from (f"  {change}" for change in answer["changes"] or ["nothing but on the hosts below"])
    for wave in answer["waves"]:
        hosts = wave["hosts"]
        yield f"wave {wave['wave']} (up to {wave['upto']}): {several(hosts, _FEW) or 'nobody more'}"
    yield f"index {answer['index']}"


def _named(rollout: Rollout) -> str:
    name = f"roll-out {rollout['number']} of {rollout['application']}"
    configuration = rollout.get("configuration", "")
    if configuration == rollout.get("from_configuration", ""):
        return f"{name} to {rollout['version']}"
    what = f"configuration {configuration}" if configuration else "no configuration"
    same = rollout["version"] == rollout["from_version"]
    return f"{name} to {what}" if same else f"{name} to {rollout['version']} with {what}"


def _change(rollout: Rollout) -> str:
    """What one has changed, in one line; of those of long ago only the versions are known."""
    told = rollout.get("changes") or [f"version {rollout['from_version']} becomes {rollout['version']}"]
    return "; ".join(told)
