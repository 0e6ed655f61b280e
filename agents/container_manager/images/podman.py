"""Slivers by podman: each a container out of an image, with DSMT's init as its first process.

The walls are bubblewrap's: mount, pid, ipc and uts name spaces, a user of the sliver's own, no capability,
no way to gain one, a root file system that is read only. What is the sliver's own lies in ``/.dsmt/root``;
it is mounted over ``/tmp``, ``/var/tmp`` and what the image declares as volumes.

A container is nobody's child here: it, and what runs in it, lives on without podman and without a manager.
"""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from agents import state_file
from agents.container_manager.images import networks
from agents.container_manager.images.brought import Brought, bring
from agents.container_manager.images.brought_agent import BroughtAgent
from agents.container_manager.images.confinement import EngineBounds, EngineConfinement, host_config
from agents.container_manager.images.engine import Engine
from agents.container_manager.limits.confinement import Bounds
from agents.container_manager.slivers import directories, users
from agents.container_manager.slivers.directory_driver import DirectoryDriver
from agents.container_manager.slivers.driver import GRACE_S
from agents.container_manager.slivers.place import Inside, Place
from agents.sliver_init.census import SLIVER_MARK
from dsmt_core.errors import DsmtError, Unavailable
from dsmt_core.limits import NO_LIMITS, Network

TOP: Final = "/.dsmt"
PYTHON: Final = f"{TOP}/python"
LABEL: Final = "org.dsmt.sliver"
VOLUMES: Final = "volumes"
_RUN: Final = "/run"
_RUN_BYTES: Final = 16 << 20
_SHARED_MEMORY_BYTES: Final = 64 << 20
_HOSTNAME_BYTES: Final = 64
_PROBE_NAME: Final = "dsmt-probe"
# A loader of the image's choice would be loaded into DSMT's own programs, too.
_NOT_OURS: Final = ("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT")


class PodmanDriver(BroughtAgent, DirectoryDriver):
    """Makes slivers out of images.

    Args:
        engine: the engine.
        directory: the node's, for what is brought along.
        image_of: what the engine tells of the image of a sliver; by default what is kept in its place.
    """

    def __init__(
        self, engine: Engine, directory: Path, *, image_of: Callable[[Place], dict[str, Any]] | None = None
    ) -> None:
        super().__init__()
        self._confinement = EngineConfinement()
        self._engine = engine
        self._directory = directory
        self._image_of = image_of or kept_image
        self._root = os.geteuid() == 0

    @property
    def name(self) -> str:
        """See `SliverDriver.name`."""
        return "podman"

    def probe(self) -> str:
        """Run DSMT's Python in a container that has nothing else, and see whether it ended well."""
        name = f"{_PROBE_NAME}-{os.getpid()}"
        try:
            empty = _empty_archive()
            image = self._engine.bring_in(io.BytesIO(empty), len(empty))
            try:
                return self._tried(name, image)
            finally:
                self._engine.remove(name)
                self._engine.forget_image(image)
        except (OSError, DsmtError) as error:
            return f"{error}{f' ({error.hint})' if isinstance(error, DsmtError) and error.hint else ''}"

    def lacks(self, network: Network) -> str:
        """See `SliverDriver.lacks`; the boot itself tries it."""
        return networks.lacking(network)

    def inside(self, place: Place) -> Inside:  # noqa: ARG002 - the same in each sliver
        """The same paths in every sliver."""
        return Inside(f"{TOP}/run", f"{TOP}/root/app", f"{TOP}/packages", f"{TOP}/root")

    def owner(self, place: Place) -> tuple[int, int] | None:
        """See `SliverDriver.owner`."""
        return users.owner_of(place)

    def exists(self, place: Place) -> bool:
        """Made, and with a user of its own if this process can give it one."""
        return super().exists(place) and (not self._root or self.owner(place) is not None)

    def end(self, place: Place, *, grace_s: float = GRACE_S) -> None:
        """See `SliverDriver.end`."""
        super().end(place, grace_s=grace_s)
        if place.sliver_file.exists():
            self._engine.remove(container(place))

    def seen(self, place: Place) -> dict[str, Any]:
        """What the agent is told of the sliver's image."""
        image = self._image_of(place)
        names = ("package", "application", "version", "reference")
        told = {name: image.get(name, "") for name in names}
        return {**told, "id": image["Id"], "config": image.get("Config") or {}}

    def _init_command(self, place: Place) -> list[str]:  # noqa: ARG002
        return self._brought().command("agents.sliver_init.main", site=False)

    def _outward_command(self) -> list[str]:
        return self._brought().outward()

    def _brought(self) -> Brought:
        return bring(self._directory / "python", PYTHON)

    def _user(self, place: Place) -> tuple[int, int] | None:
        return users.owner_for(place) if self._root else None

    def _prepare(self, place: Place) -> None:
        # A manager killed in the middle of a boot leaves a container that no record names.
        self._sweep(place)
        self._engine.remove(container(place))
        for name, command in self._brought().launchers().items():
            directories.put(place.programs / name, f"#!/bin/sh\n{command}\n", mode=0o755)
        for path in _volumes(self._image_of(place), place).values():
            path.parent.mkdir(mode=0o755, exist_ok=True)
            if not path.exists():
                path.mkdir(mode=0o755)
                if (owner := self.owner(place)) is not None:
                    os.chown(path, *owner)

    def _launch(self, place: Place, argv: list[str], bounds: Bounds) -> int:
        name = container(place)
        owner = self.owner(place)
        if owner is None and self._root:
            # Never by default as root.
            raise Unavailable(
                f"the sliver {place.slice} has no user of its own", hint="it is to be made anew"
            )
        self._engine.create(name, self._settings(place, argv, bounds))
        self._engine.start(name)
        return int(self._engine.container(name)["State"].get("Pid") or 0)

    def _is_init(self, pid: int) -> bool:
        """First of a pid name space of its own: a line ``NSpid: <here> 1``."""
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return False
        return any(line.startswith("NSpid:") and line.split()[2:] == ["1"] for line in lines)

    def _last_words(self, place: Place) -> str:
        with contextlib.suppress(DsmtError):
            return self._engine.said(container(place))
        return ""

    def _settings(self, place: Place, argv: list[str], bounds: Bounds) -> dict[str, Any]:
        image = self._image_of(place)
        own = [
            (place.root, f"{TOP}/root"),
            (place.run, f"{TOP}/run"),
            (place.root / "tmp", "/tmp"),  # noqa: S108 - the sliver's own
            (place.root / "var" / "tmp", "/var/tmp"),  # noqa: S108
            *((path, target) for target, path in _volumes(image, place).items()),
        ]
        shown = [
            *self._brought().binds(),
            (place.packages, f"{TOP}/packages"),
            (place.programs, f"{TOP}/bin"),
        ]
        binds = [*_binds(shown, "ro"), *_binds(own, "rw")]
        settings = self._walls(str(image["Id"]), self.owner(place), argv, binds)
        settings["Hostname"] = place.host[:_HOSTNAME_BYTES]
        settings["Labels"] = {LABEL: place.mark, f"{LABEL}.slice": place.slice, f"{LABEL}.host": place.host}
        settings["Env"].append(f"{SLIVER_MARK}={place.mark}")
        limits = bounds.limits if isinstance(bounds, EngineBounds) else NO_LIMITS
        settings["HostConfig"] |= host_config(limits)
        for name, more in networks.settings(bounds.network, place, self.owner(place)).items():
            settings["HostConfig"][name] = [*settings["HostConfig"].get(name, ()), *more]
        return settings

    def _walls(
        self, image: str, owner: tuple[int, int] | None, argv: list[str], binds: list[str]
    ) -> dict[str, Any]:
        user, group = owner or (0, 0)
        # Files keep their labels, which the node's other slivers have, too.
        unlabelled = ["label=disable"] if Path("/sys/fs/selinux/enforce").exists() else []
        return {
            "Image": image,
            "User": f"{user}:{group}",
            "Entrypoint": argv[:1],
            "Cmd": argv[1:],
            "Env": [f"{name}=" for name in _NOT_OURS],
            "WorkingDir": "/",
            "StopSignal": "SIGTERM",
            "Healthcheck": {"Test": ["NONE"]},
            "HostConfig": {
                "Binds": binds,
                "CapDrop": ["ALL"],
                "SecurityOpt": ["no-new-privileges", *unlabelled],
                "ReadonlyRootfs": True,
                "NetworkMode": "host",
                "IpcMode": "private",
                "ShmSize": _SHARED_MEMORY_BYTES,
                "Tmpfs": {_RUN: f"rw,nosuid,nodev,mode=1777,size={_RUN_BYTES}"},
                "LogConfig": {"Type": "k8s-file", "Config": {"max-size": "1m"}},
                "RestartPolicy": {"Name": "no"},
            },
        }

    def _tried(self, name: str, image: str) -> str:
        brought = self._brought()
        code = "import json, os, socket"
        argv = [*brought.python(), "-I", "-S", "-E", "-c", code]
        owner = (users.FIRST_UID, users.FIRST_UID) if self._root else None
        self._engine.remove(name)
        self._engine.create(name, self._walls(image, owner, argv, _binds(brought.binds(), "ro")))
        self._engine.start(name)
        if self._engine.wait(name) == 0:
            return ""
        said = self._engine.said(name).strip().splitlines() or ["it said nothing"]
        return f"podman: {said[-1][-300:]}"


def container(place: Place) -> str:
    """The name of a sliver's container; unique among the nodes of one machine."""
    return f"dsmt-{place.mark}"


def kept_image(place: Place) -> dict[str, Any]:
    """What was kept of the image of a sliver when it was made.

    Raises:
        Unavailable: nothing that can be trusted.
    """
    found = state_file.load(place.image_file).value
    if not found or "Id" not in found:
        raise Unavailable(
            f"the image of the sliver {place.slice} is not known", hint="it is to be made anew"
        )
    return found


def _volumes(image: dict[str, Any], place: Place) -> dict[str, Path]:
    """What the image wants to write to → the sliver's directory for it."""
    declared = sorted((image.get("Config") or {}).get("Volumes") or {})
    below = place.root / VOLUMES
    return {target: below / target.strip("/").replace("/", "-") for target in declared if target.strip("/")}


def _binds(pairs: list[tuple[Path, str]], how: str) -> list[str]:
    for path, target in pairs:
        if ":" in f"{path}{target}":
            raise Unavailable(f"{path} has a colon in its name", hint="podman takes none: another --data")
    return [f"{path}:{target}:{how}" for path, target in pairs]


def _empty_archive() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo("tmp")
        entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(entry)
    return made.getvalue()
