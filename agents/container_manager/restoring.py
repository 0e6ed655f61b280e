"""What is on disk when the container manager starts: orders, torn or whole, and directories."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from agents import state_file
from agents.container_manager.config import NodeConfig
from agents.container_manager.decide import Found
from agents.container_manager.slivers.driver import SliverDriver
from dsmt_core.errors import Invalid
from dsmt_core.lifecycle import State, state
from dsmt_core.limits import NO_LIMITS, Limits, limits_of
from dsmt_core.names import DEFAULT_AGENT, Slice, slice_name

log = logging.getLogger(__name__)


async def found_slivers(
    config: NodeConfig, driver: SliverDriver, adopt: Callable[[Slice], Awaitable[bool]]
) -> list[Found]:
    """Every sliver below the node's data, with whether its init was adopted."""
    config.slivers.mkdir(mode=0o711, parents=True, exist_ok=True)
    found = []
    for directory in sorted(config.slivers.iterdir()):
        if directory == config.probe.directory:
            continue
        name = _name(directory)
        if name is None:
            log.warning("%s is not the directory of a sliver; it is left alone", directory)
            continue
        place = config.place(name)
        loaded = state_file.load(place.order_file)
        if loaded.reason:
            log.warning("sliver %s: %s; the planner is asked what is wanted", name, loaded.reason)
        alive = await adopt(name)
        found.append(_found(name, loaded.value or {}, made=driver.exists(place), alive=alive))
    return found


def _name(directory: Path) -> Slice | None:
    """The sliver whose directory this is; a link is none, wherever it leads."""
    if directory.is_symlink() or not directory.is_dir():
        return None
    try:
        return slice_name(directory.name)
    except Invalid:
        return None


def _found(name: Slice, order: Mapping[str, Any], *, made: bool, alive: bool) -> Found:
    wanted, generation = order.get("wanted"), order.get("generation")
    if not isinstance(wanted, bool) or not isinstance(generation, int):
        return Found(slice=name, made=made, alive=alive)
    return Found(
        slice=name,
        generation=generation,
        wanted=wanted,
        agent=str(order.get("agent") or DEFAULT_AGENT),
        digest=str(order.get("digest") or ""),
        limits=_limits(str(order.get("limits") or "")),
        life=_life(order.get("life")),
        state=_state(str(order.get("state"))),
        made=made,
        alive=alive,
    )


def _life(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _limits(text: str) -> Limits:
    try:
        return limits_of(text)
    except Invalid:
        return NO_LIMITS


def _state(text: str) -> State:
    try:
        return state(text)
    except Invalid:
        return State.UNDEFINED
