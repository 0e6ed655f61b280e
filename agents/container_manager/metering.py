"""Reads what each sliver uses, seldom, and tells what of it is news.

A walk over a sliver's files is bounded; while a file system loses room quickly, those slivers that have a
quota are looked at early.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agents.container_manager.config import NodeConfig
from agents.container_manager.decide import Node
from agents.container_manager.decide.admission import overfull
from agents.container_manager.decide.figures import Figures
from agents.container_manager.decide.grace import Graces
from agents.container_manager.reports import Reports
from agents.container_manager.slivers.driver import SliverDriver
from agents.container_manager.slivers.place import Place
from dsmt_core.container import (
    CPU_USE,
    DISK_QUOTA,
    DISK_USE,
    ENFORCED,
    INSTALLED_AT,
    KIB,
    MEMORY_QUOTA,
    MEMORY_USE,
)
from dsmt_core.errors import DsmtError
from dsmt_core.limits import Limits, shown_size
from dsmt_core.names import Slice

LOOK_S: Final = 60.0
# Files change less, and cost more to look at; without a quota nobody waits for it.
DISK_S: Final = 300.0
QUICK_S: Final = 5.0
_QUICK_BYTES: Final = 64 << 20
_ENTRIES: Final = 200_000
_BLOCK: Final = 512

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """The last look at a sliver: cpu time and when, its disk use, when, and at which quota; -1: never."""

    cpu_s: float = -1.0
    cpu_at: float = 0.0
    disk: int = -1
    disk_at: float = 0.0
    quota: int = 0


class Metering:
    """Measures the slivers of one node.

    Args:
        config: where they are.
        driver: knows what they use.
        node: which there are, and how they are limited; read only.
        reports: how the node speaks.

    Attributes:
        evict: called with the reason when a sliver's files have taken more than they may for too long.
    """

    def __init__(self, config: NodeConfig, driver: SliverDriver, node: Node, reports: Reports) -> None:
        self._config = config
        self._driver = driver
        self._node = node
        self._reports = reports
        self.evict: Callable[[Slice, str], None] = lambda _slice, _reason: None
        self._figures = Figures()
        self._graces = Graces()
        self._readings: dict[Slice, Reading] = {}
        self._soon = asyncio.Event()
        self._free = 0

    def soon(self) -> None:
        """Something has changed: look now."""
        self._soon.set()

    def connected(self) -> None:
        """The broker is (again) there; all is told anew."""
        self._figures.forget_all()
        self.soon()

    def refusal(self, slice_: Slice) -> str:
        """Why a sliver may install nothing: its files take more than they may; empty when it may."""
        sliver = self._node.slivers.get(slice_)
        quota = sliver.in_force.disk if sliver is not None else 0
        used = self._readings.get(slice_, Reading()).disk
        if not quota or used <= quota:
            return ""
        self.soon()
        return f"its files take {shown_size(used)} of the {shown_size(quota)} that it may"

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            self._soon.clear()
            await self.look()
            waited = 0.0
            while waited < LOOK_S and not self._soon.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(QUICK_S):
                        await self._soon.wait()
                waited += QUICK_S
                if self._falls() or self._graces.any:
                    break

    async def look(self) -> None:
        """Look at every sliver that runs, once, and tell what is news."""
        living = [name for name, one in self._node.slivers.items() if one.alive and one.made]
        self._figures.keep(living)
        self._graces.keep(living)
        self._readings = {name: self._readings[name] for name in living if name in self._readings}
        self._free = self._free_bytes()
        for name in living:
            sliver = self._node.slivers.get(name)
            if sliver is None:
                continue
            try:
                limits = sliver.in_force
                values = await asyncio.to_thread(self._read, name, limits, sliver.refused)
                over = overfull(self._readings[name].disk, limits.disk)
                if self._graces.ended(name, over=bool(over), now=_now()):
                    self.evict(name, over)
                for field, value in self._figures.due(name, values, _now()).items():
                    await self._reports.container(name, field, value)
            except (DsmtError, OSError) as error:
                log.warning("what sliver %s uses is not told: %s", name, error)

    def _read(self, name: Slice, limits: Limits, refused: str) -> Mapping[str, str]:
        place, now = self._config.place(name), _now()
        use = self._driver.use(place)
        before = self._readings.get(name, Reading())
        reading = replace(before, cpu_s=-1.0 if use.cpu_s is None else use.cpu_s, cpu_at=now)
        old = now - before.disk_at >= (QUICK_S if limits.disk else DISK_S)
        if old or before.disk < 0 or before.quota != limits.disk:
            reading = replace(reading, disk=disk_bytes(place.root), disk_at=now, quota=limits.disk)
        self._readings[name] = reading
        return {
            INSTALLED_AT: _installed_at(place),
            MEMORY_QUOTA: str(limits.memory // KIB),
            MEMORY_USE: "" if use.memory is None else str(use.memory // KIB),
            DISK_QUOTA: str(limits.disk // KIB),
            DISK_USE: str(reading.disk // KIB),
            CPU_USE: _cores(before, reading),
            ENFORCED: _enforced(self._driver.enforced(place, limits), refused),
        }

    def _falls(self) -> bool:
        """Whether the file system loses room quickly while some sliver has a quota."""
        if not any(one.in_force.disk for one in self._node.slivers.values()):
            return False
        return self._free - self._free_bytes() > _QUICK_BYTES

    def _free_bytes(self) -> int:
        try:
            found = os.statvfs(self._config.data)
        except OSError:
            return 0
        return found.f_bavail * found.f_frsize


def disk_bytes(root: Path) -> int:
    """Bytes that the files below ``root`` take on the disk, as far as 200,000 of them tell."""
    total, left, waiting = 0, _ENTRIES, [str(root)]
    while waiting and left > 0:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                left -= 1
                with contextlib.suppress(OSError):
                    found = entry.stat(follow_symlinks=False)
                    # A hard link is counted each time: that is never too little.
                    total += found.st_blocks * _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                if left <= 0:
                    break
    return total


def too_full(place: Place, limits: Limits) -> str:
    """Why a sliver may not begin: its files take more than they may; blocks."""
    return overfull(disk_bytes(place.root), limits.disk) if limits.disk else ""


def _enforced(by: str, refused: str) -> str:
    told = by or "none asked for"
    return f"{told} (others are refused: {refused})" if refused else told


def _cores(before: Reading, now: Reading) -> str:
    passed = now.cpu_at - before.cpu_at
    if before.cpu_s < 0 or now.cpu_s < 0 or passed <= 0:
        return ""
    return f"{max(now.cpu_s - before.cpu_s, 0.0) / passed:.2f}"


def _installed_at(place: Place) -> str:
    try:
        return str(int(place.sliver_file.stat().st_mtime))
    except OSError:
        return ""


def _now() -> float:
    return time.monotonic()
