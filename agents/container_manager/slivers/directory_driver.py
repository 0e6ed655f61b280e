"""What the drivers share whose slivers are a directory and an init: making, adopting, ending, removing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import site
import sys
import threading
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Final

# Imported for its byte code only: where a sliver reads it, nobody can write it.
import agents.sliver_init.main  # noqa: F401
from agents import local_socket, state_file
from agents.container_manager.limits.confinement import Bounds, Confinement
from agents.container_manager.limits.groups import Groups, Use
from agents.container_manager.slivers import directories, programs, record
from agents.container_manager.slivers.driver import GRACE_S, AgentCommand
from agents.container_manager.slivers.place import Inside, Place
from agents.container_manager.slivers.record import InitRecord
from agents.container_manager.slivers.visible import interpreter, package_directory
from agents.sliver_init.census import Census
from agents.sliver_init.outward import PROGRAM
from dsmt_core.errors import DeadlinePassed, DsmtError, Unavailable
from dsmt_core.limits import NO_LIMITS, Limits, Network

# An init that ends is noticed at once; one that is slow has a busy machine.
BOOT_S: Final = 45.0
# An init answers at once, unless it hangs.
POLITE_S: Final = 5.0
_ENDING_S: Final = 5.0
_POLL_S: Final = 0.01
_LOG_TAIL: Final = 400
# The children of this process are no sliver's: they are the inits of all of them.
_NO_PROCESS: Final = -1


class DirectoryDriver(ABC):
    """Base of the drivers; see `SliverDriver` for what each method promises.

    Args:
        groups: where cgroups can be made; None: nowhere.
    """

    def __init__(self, groups: Groups | None = None) -> None:
        self._making = threading.Lock()
        self.groups = groups
        self._confinement = Confinement(groups)

    @property
    @abstractmethod
    def name(self) -> str:
        """As the fact ``sliver_driver`` tells it."""

    @abstractmethod
    def inside(self, place: Place) -> Inside:
        """How the processes of the sliver name its directories."""

    @abstractmethod
    def owner(self, place: Place) -> tuple[int, int] | None:
        """See `SliverDriver.owner`."""

    @abstractmethod
    def _user(self, place: Place) -> tuple[int, int] | None:
        """Uid and gid for a new sliver; None when it gets none of its own."""

    @abstractmethod
    def _prepare(self, place: Place) -> None:
        """What is to be made anew before each boot."""

    @abstractmethod
    def _launch(self, place: Place, argv: list[str], bounds: Bounds) -> int:
        """Start ``argv`` as the first process of the sliver; its pid, 0 when it did not come so far."""

    @abstractmethod
    def _is_init(self, pid: int) -> bool:
        """Whether the process that answers on a sliver's socket can be its init."""

    def agent_command(self, place: Place) -> tuple[str, ...]:  # noqa: ARG002 - for who differs
        """See `SliverDriver.agent_command`."""
        return agent_command()

    def agent_inside(self, place: Place) -> dict[str, Any]:  # noqa: ARG002 - for who differs
        """See `SliverDriver.agent_inside`."""
        return agent_inside()

    def agent_environment(self, place: Place) -> dict[str, str]:  # noqa: ARG002
        """See `SliverDriver.agent_environment`."""
        return {}

    def _init_command(self, place: Place) -> list[str]:  # noqa: ARG002 - for who differs
        return init_command()

    def _outward_command(self) -> list[str]:
        return [PROGRAM]

    def lacks(self, network: Network) -> str:
        """See `SliverDriver.lacks`."""
        return "" if network is Network.HOST else f"slivers by {self.name} have the node's network only"

    def create(self, place: Place) -> None:
        """See `SliverDriver.create`."""
        # One at a time: a uid is taken when the file that says so is there.
        with self._making:
            if self.exists(place):
                return
            user = self._user(place)
            directories.make(place, user)
            state_file.save(place.sliver_file, {"driver": self.name, "uid": user[0] if user else None})

    def exists(self, place: Place) -> bool:
        """See `SliverDriver.exists`."""
        return place.sliver_file.exists()

    def boot(self, place: Place, agent: AgentCommand, limits: Limits = NO_LIMITS) -> InitRecord:
        """See `SliverDriver.boot`."""
        running = self.adopt(place)
        if running is not None:
            return running
        if why := self.lacks(limits.network):
            raise Unavailable(
                f"the network {limits.network} cannot be had here: {why}", hint="--network host"
            )
        programs.write(place)
        self._prepare(place)
        place.boot_log.unlink(missing_ok=True)
        bounds = self._confinement.prepare(place, self.owner(place), limits)
        try:
            pid = self._launch(place, self._init_argv(place, agent, bounds), bounds)
        finally:
            bounds.doors.close()
        booted = record.record_of(pid)
        try:
            return self._confirmed(place, booted)
        except BaseException:
            self._kill(place, booted)
            raise

    def adopt(self, place: Place) -> InitRecord | None:
        """See `SliverDriver.adopt`."""
        known = record.load(place.init_file)
        if record.lives(known):
            return known
        found = self._by_socket(place)
        if found is not None:
            record.save(place.init_file, found)
        return found

    def end(self, place: Place, *, grace_s: float = GRACE_S) -> None:
        """See `SliverDriver.end`."""
        running = self.adopt(place)
        pidfd = record.hold(running)
        if pidfd is not None:
            try:
                self._end_init(place, pidfd, grace_s)
            finally:
                os.close(pidfd)
        self._sweep(place)

    def destroy(self, place: Place, *, grace_s: float = GRACE_S) -> None:
        """See `SliverDriver.destroy`."""
        self.end(place, grace_s=grace_s)
        if place.directory.exists():
            # The marker of completeness goes first: half a directory is no sliver.
            place.sliver_file.unlink(missing_ok=True)
            self._confinement.remove(place)
            shutil.rmtree(place.directory)

    def limit(self, place: Place, limits: Limits) -> None:
        """See `SliverDriver.limit`."""
        if self._confinement.network(place) != limits.network:
            # It cannot be taken from who runs, nor given: the sliver begins anew, with the new choice.
            self.end(place)
            return
        self._confinement.limit(place, limits)

    def enforced(self, place: Place, limits: Limits) -> str:
        """See `SliverDriver.enforced`."""
        return self._confinement.enforced(place, limits)

    def use(self, place: Place) -> Use:
        """See `SliverDriver.use`."""
        return self._confinement.use(place)

    def _end_init(self, place: Place, pidfd: int, grace_s: float) -> None:
        with contextlib.suppress(DsmtError):
            local_socket.ask(place.init_socket, {"op": "end", "grace": grace_s}, timeout_s=POLITE_S)
            if record.has_ended(pidfd, within_s=grace_s + _ENDING_S):
                return
        record.kill(pidfd)
        if not record.has_ended(pidfd, within_s=_ENDING_S):
            raise DeadlinePassed(
                f"the init of {place.slice} does not end",
                hint="a process may be stuck in the kernel: dmesg",
            )

    def _sweep(self, place: Place) -> None:
        """End what outlived the init; where the init was alone in a pid name space nothing can."""
        self._confinement.kill(place)
        Census(place.mark, alone=False, below=_NO_PROCESS).signal_all(signal.SIGKILL)

    def _kill(self, place: Place, booted: InitRecord | None) -> None:
        pidfd = record.hold(booted)
        if pidfd is not None:
            record.kill(pidfd)
            record.has_ended(pidfd, within_s=_ENDING_S)
            os.close(pidfd)
        self._sweep(place)

    def _init_argv(self, place: Place, agent: AgentCommand, bounds: Bounds) -> list[str]:
        inside = self.inside(place)
        config: dict[str, Any] = {
            "socket": f"{inside.run}/{place.init_socket.name}",
            "mark": place.mark,
            "agent": list(agent.argv),
            "inside": dict(agent.inside),
            "env": dict(agent.env) | {"DSMT_SLIVER": place.mark},
            "log": f"{inside.root}/var/log/dsmt-agent.log",
            "outward": self._outward_command(),
            **bounds.config,
        }
        return [*self._init_command(place), json.dumps(config)]

    def _confirmed(self, place: Place, booted: InitRecord | None) -> InitRecord:
        """Keep the record, then wait until the init answers."""
        if booted is None:
            raise Unavailable(self._failure(place))
        record.save(place.init_file, booted)
        deadline = time.monotonic() + BOOT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(Unavailable):
                local_socket.ask(place.init_socket, {"op": "agent"}, timeout_s=1.0)
                return booted
            if not record.lives(booted):
                break
            time.sleep(_POLL_S)
        raise Unavailable(self._failure(place))

    def _failure(self, place: Place) -> str:
        lines = self._last_words(place).strip().splitlines()
        last = lines[-1][-_LOG_TAIL:] if lines else "it said nothing"
        return f"the sliver {place.slice} did not start: {last}"

    def _last_words(self, place: Place) -> str:
        """What a boot printed."""
        try:
            return place.boot_log.read_text(errors="replace")
        except OSError:
            return ""

    def _by_socket(self, place: Place) -> InitRecord | None:
        """An init whose record was lost: who listens on its socket tells its pid."""
        try:
            with local_socket.connect(place.init_socket, timeout_s=1.0) as connection:
                pid = local_socket.peer(connection)
        except Unavailable:
            return None
        return record.record_of(pid) if pid > 0 and self._is_init(pid) else None


def init_command(module: str = "agents.sliver_init.main") -> list[str]:
    """Runs the init with as little of Python as will do: no site packages, no environment."""
    parent = str(package_directory("agents").parent)
    code = f"import sys; sys.path.insert(0, {parent!r}); from {module} import run; run()"
    return [str(interpreter()), "-I", "-S", "-E", "-c", code]


def agent_command() -> tuple[str, ...]:
    """Runs the deployment agent with the Python and the packages that run this."""
    parent = str(package_directory("agents").parent)
    code = f"import sys; sys.path.append({parent!r}); from agents.deployment_agent.main import run; run()"
    return (sys.executable, "-I", "-c", code)


def agent_inside() -> dict[str, Any]:
    """How the init forks the deployment agent, with the packages that run this."""
    return {
        "module": "agents.deployment_agent.main",
        "sites": [path for path in site.getsitepackages() if Path(path).is_dir()],
        "path": [str(package_directory("agents").parent)],
        "executable": sys.executable,
    }
