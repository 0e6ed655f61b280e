"""What a change made of a slice, for its entry in the audit log. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from planner.wanted import Plan, WantedApplication, WantedSlice

# What a round decides, and what only counts.
_NOT_PEOPLES: Final = frozenset(
    {"name", "generation", "hosts", "retired", "placements", "restraint", "rollouts"}
)


def differences(before: WantedSlice | None, now: WantedSlice | None) -> dict[str, Any]:
    """The parts that differ, as ``was`` and ``is``; nothing for a slice that was made or deleted."""
    if before is None or now is None:
        return {}
    was: dict[str, object] = {}
    is_: dict[str, object] = {}
    for name in (one.name for one in fields(WantedSlice)):
        old, new = getattr(before, name), getattr(now, name)
        if name in _NOT_PEOPLES or old == new:
            continue
        was[name], is_[name] = (
            _differing(old, new) if isinstance(old, Mapping) else (_shown(old), _shown(new))
        )
    return {"was": was, "is": is_} if was else {}


def _differing(old: Mapping[str, object], new: Mapping[str, object]) -> tuple[object, object]:
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return (
        {name: _shown(old[name]) for name in names if name in old},
        {name: _shown(new[name]) for name in names if name in new},
    )


def _shown(value: object) -> object:
    if isinstance(value, Plan):
        return f"{value.base} {dict(value.parameters)}"
    if isinstance(value, WantedApplication):
        # What its configuration says was asked for, and stands there.
        return f"{value.version} {value.run} restarts={value.restarts}"
    if is_dataclass(value):
        # A quota, limits, a guard rail: what of it is not as usual.
        named = {one.name: getattr(value, one.name) for one in fields(value) if one.repr}
        usual = {one.name: one.default for one in fields(value)}
        return {name: _shown(what) for name, what in named.items() if what != usual[name]}
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
