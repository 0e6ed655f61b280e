"""Where podman's service listens: the machine's own, or one that this node starts when it needs one.

The node's own ends by itself when nothing was asked of it for a minute: slivers live on without it, and 36
MB would be a high price for something that is asked a few times a day.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import shutil
import signal
import stat
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agents import local_socket
from agents.container_manager.slivers.launching import detached
from agents.container_manager.slivers.record import InitRecord, has_ended, hold, load, record_of, save
from dsmt_core.errors import Unavailable

INSTALL_HINT: Final = "apt-get install podman runc"
SYSTEM: Final = Path("/run/podman/podman.sock")
IDLE_S: Final = 60
_START_S: Final = 20.0
_CONNECT_S: Final = 5.0
_END_S: Final = 5.0
_LOOK_S: Final = 0.02
# A socket's address has at most 107 bytes.
_PATH_BYTES: Final = 100
_ADMINISTRATOR: Final = Path("/etc/containers/containers.conf")
_FILES_MOST: Final = 1 << 20
_PASSED: Final = ("PATH", "HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "TMPDIR", "LANG")


class EngineService:
    """Finds a socket that answers.

    Args:
        directory: the node's, for what a service of its own needs.
        socket: the only one to use; None: the machine's where it answers, and else one's own.
        environment: of this process; what is for podman is handed on.
    """

    def __init__(
        self, directory: Path, *, socket: Path | None = None, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._directory = directory
        self._only = socket
        self._environment = environment
        self._starting = threading.Lock()

    def socket(self) -> Path:
        """A socket on which podman answers.

        Raises:
            Unavailable: there is none, and none could be made to be; the message says why.
        """
        if self._only is not None:
            if not _answers(self._only):
                raise Unavailable(f"nobody answers on {self._only}", hint="start podman.socket")
            return self._only
        with self._starting:
            for path in (*self._of_machine(), self._own()):
                if _answers(path):
                    return path
            return self._started()

    def is_there(self) -> bool:
        """Whether it is worth trying, without starting anything."""
        if self._only is not None:
            return _answers(self._only)
        here = shutil.which("podman", path=self._environment.get("PATH"))
        return here is not None or any(map(_answers, self._of_machine()))

    def close(self) -> None:
        """End the node's own service; the slivers live on."""
        pidfd = hold(load(self._record))
        if pidfd is not None:
            try:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(pidfd, signal.SIGTERM)
                has_ended(pidfd, within_s=_END_S)
            finally:
                os.close(pidfd)
            if (path := self._own()).parent != self._directory:
                shutil.rmtree(path.parent, ignore_errors=True)

    @property
    def _record(self) -> Path:
        return self._directory / "service.json"

    def _of_machine(self) -> list[Path]:
        if os.geteuid() == 0:
            return [SYSTEM]
        runtime = self._environment.get("XDG_RUNTIME_DIR")
        return [Path(runtime, "podman", "podman.sock")] if runtime else []

    def _own(self) -> Path:
        path = self._directory / "podman.sock"
        if len(os.fsencode(path)) <= _PATH_BYTES:
            return path
        runtime = "/run" if os.geteuid() == 0 else self._environment.get("XDG_RUNTIME_DIR", "")
        short = hashlib.blake2b(os.fsencode(self._directory), digest_size=8).hexdigest()
        if not runtime:
            raise Unavailable(f"{path} is too long for a socket", hint="a shorter --data")
        return Path(runtime, f"dsmt-{short}", path.name)

    def _started(self) -> Path:
        if shutil.which("podman", path=self._environment.get("PATH")) is None:
            raise Unavailable(f"podman is missing ({INSTALL_HINT})")
        path, log = self._own(), self._directory / "service.log"
        for directory in (self._directory, path.parent):
            _private(directory)
        log.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        # A container's monitor notes where podman began that the memory ran out: in a file `oom`.
        argv = ["env", f"--chdir={self._directory}", "podman", "system", "service"]
        argv += ["--time", str(IDLE_S), f"unix://{path}"]
        pid = detached(argv, env=self._for_podman(), log=log)
        started = record_of(pid)
        if started is not None:
            save(self._record, started)
        self._wait(path, started, log)
        return path

    def _wait(self, path: Path, started: InitRecord | None, log: Path) -> None:
        deadline = time.monotonic() + _START_S
        while not _answers(path):
            if started is None or record_of(started.pid) != started or time.monotonic() > deadline:
                said = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
                raise Unavailable(f"podman does not serve: {said[-300:]}", hint=f"see {log}")
            time.sleep(_LOOK_S)

    def _for_podman(self) -> dict[str, str]:
        passed = {name: text for name in _PASSED if (text := self._environment.get(name))}
        passed |= {name: text for name, text in self._environment.items() if name.startswith("CONTAINERS_")}
        if "CONTAINERS_CONF" not in passed and not _ADMINISTRATOR.exists():
            file = self._directory / "containers.conf"
            file.write_text(configuration(_what_is_here(self._environment.get("PATH"))))
            passed["CONTAINERS_CONF"] = str(file)
        return passed


def configuration(here: Mapping[str, bool]) -> str:
    """The engine's settings where the administrator has made none.

    Args:
        here: whether there are ``crun``, ``runc``, ``systemd``, and ``unified`` cgroups (version 2 only).
    """
    lines = ['events_logger = "file"']
    # crun wants cgroups of one version; and who is no child of systemd cannot be given a scope by it.
    if here["runc"] and not (here["crun"] and here["unified"]):
        lines.append('runtime = "runc"')
    if not here["systemd"]:
        lines.append('cgroup_manager = "cgroupfs"')
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _FILES_MOST if most == resource.RLIM_INFINITY else min(most, _FILES_MOST)
    ulimits = f'default_ulimits = ["nofile={files}:{files}"'
    _, processes = resource.getrlimit(resource.RLIMIT_NPROC)
    ulimits += f', "nproc={processes}:{processes}"]' if processes != resource.RLIM_INFINITY else "]"
    return "\n".join(["[containers]", ulimits, "[engine]", *lines]) + "\n"


def _what_is_here(path: str | None) -> dict[str, bool]:
    return {
        "crun": shutil.which("crun", path=path) is not None,
        "runc": shutil.which("runc", path=path) is not None or Path("/usr/sbin/runc").exists(),
        "systemd": Path("/run/systemd/system").exists(),
        "unified": Path("/sys/fs/cgroup/cgroup.controllers").exists(),
    }


def _answers(path: Path) -> bool:
    try:
        local_socket.connect(path, timeout_s=_CONNECT_S).close()
    except Unavailable:
        return False
    return True


def _private(directory: Path) -> None:
    """Have it, of this user, and of no other's writing."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = directory.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
        raise Unavailable(f"{directory} is not a directory of this user's", hint="remove it")
    directory.chmod(0o700)
