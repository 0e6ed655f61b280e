"""Configurations for people. Pure."""

from __future__ import annotations

from dsmtc.client.configurations import Configured
from dsmtc.rendering.rollouts import progress
from dsmtc.rendering.table import Table, View


def configured(found: Configured) -> View:
    """The configuration of an application, and the roll-out of another one."""
    of = f"{found['application']} {found['version']}"
    if found["configuration"]:
        yield f"configuration {found['digest']} of {of}"
        yield Table(("NAME", "VALUE"), _rows(found["configuration"]))
    else:
        yield f"{of} has no configuration"
    rollout = found["rollout"]
    if rollout is not None:
        yield ""
        yield progress(rollout)
        if found["coming"] not in (None, found["configuration"]):
            yield Table(("COMING", "VALUE"), _rows(found["coming"] or {}))


def _rows(values: dict[str, str]) -> list[tuple[str, ...]]:
    return list(values.items())
