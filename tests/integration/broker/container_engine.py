"""A container engine of the test's own, and an image made from this machine's RabbitMQ.

Podman serves the Docker API on a socket below a temporary folder, with runc and its own storage, under
the keeper: nothing of it outlives the test. The image needs no registry: it is the machine's Erlang and
RabbitMQ with the programs and libraries that they use.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

from tenacity import Retrying, stop_after_attempt, wait_fixed

from broker.server.kept import Kept
from dsmt_core.errors import DsmtError, Unavailable

IMAGE = "localhost/dsmt-test-rabbitmq:1"
PROGRAMS = ("podman", "runc")
_TREES = ("/usr/lib/erlang", "/usr/lib/rabbitmq")
_TOOLS = ("sh", "dirname", "basename", "readlink", "sed", "cat", "date", "id", "sleep", "env", "hostname")
_SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
_CONFIGURATION = """\
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=8192:8192"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
_LIBRARY = re.compile(r"(/\S+) \(0x")
_READY_S = 30.0
_RUN_S = 120.0


def missing() -> list[str]:
    """What this machine lacks for it."""
    programs = [name for name in PROGRAMS if shutil.which(name) is None]
    return [*programs, *(tree for tree in _TREES if not Path(tree).exists())]


class ContainerEngine:
    """Podman's service on a socket of its own.

    Args:
        folder: an empty one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = Kept(grace_s=2.0)
        self.url = f"unix://{folder}/podman.sock"

    def start(self) -> None:
        """Start it, and wait for its socket.

        Raises:
            Unavailable: it did not answer.
        """
        (self._folder / "containers.conf").write_text(_CONFIGURATION)
        log = self._folder / "podman.log"
        # Where a service begins, the monitors of its containers leave files.
        elsewhere = ["env", f"--chdir={self._folder}"]
        serve = self._command("system", "service", "-t", "0", self.url)
        self._kept.start([*elsewhere, *serve], self._environment(), log)
        deadline = time.monotonic() + _READY_S
        while not (self._folder / "podman.sock").exists():
            if time.monotonic() > deadline or not self._kept.running:
                raise Unavailable(f"podman does not serve: {log.read_text()[-500:]}")
            time.sleep(0.05)

    def end(self) -> None:
        """Remove every container, then end it with all that it started."""
        again = Retrying(stop=stop_after_attempt(3), wait=wait_fixed(0.3), reraise=True)
        try:
            # One that ends by itself just then is refused.
            again(self.run, "rm", "--all", "--force", "--time", "0")
        finally:
            self._kept.end()
            self._unmount()

    def _unmount(self) -> None:
        """Take away what podman left mounted, or nobody can remove the folder."""
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for mount in sorted((one for one in mounts if one.startswith(f"{self._folder}/")), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=False)

    def build(self) -> None:
        """Make the image `IMAGE`."""
        archive = self._folder / "image.tar"
        with tarfile.open(archive, "w") as image:
            for tree in _TREES:
                image.add(tree)
            for path in sorted(_programs_and_libraries()):
                image.add(os.path.realpath(path), arcname=path)
            for folder in ("tmp", "var/lib/rabbitmq", "var/log/rabbitmq", "etc/rabbitmq", "root"):
                entry = tarfile.TarInfo(folder)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o777
                image.addfile(entry)
        path = "/usr/lib/erlang/bin:/usr/bin:/bin"
        changes = ["ENV HOME=/root", f"ENV PATH={path}", "ENV LANG=C.UTF-8", f'CMD ["{_SERVER}"]']
        options = [option for change in changes for option in ("--change", change)]
        self.run("import", *options, str(archive), IMAGE)
        archive.unlink()

    def run(self, *arguments: str) -> None:
        """Run podman with the same storage.

        Raises:
            DsmtError: it failed.
        """
        done = subprocess.run(
            self._command(*arguments),
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=_RUN_S,
            check=False,
        )
        if done.returncode:
            raise DsmtError(f"podman {arguments[0]} failed: {done.stderr[-500:]}")

    def _command(self, *arguments: str) -> list[str]:
        storage = ("--root", str(self._folder / "root"), "--runroot", str(self._folder / "run"))
        return ["podman", *storage, "--tmpdir", str(self._folder / "tmp"), *arguments]

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "CONTAINERS_CONF": str(self._folder / "containers.conf"),
        }


def _programs_and_libraries() -> set[str]:
    """The programs that the start scripts call, and the libraries of all that is in the image."""
    tools = {path for name in _TOOLS if (path := shutil.which(name))} | {"/bin/sh"}
    binaries = tools | {str(path) for path in Path("/usr/lib/erlang").rglob("*.so")}
    binaries |= {str(path) for path in Path("/usr/lib/erlang").glob("erts-*/bin/*") if path.is_file()}
    found = set(tools)
    for binary in binaries:
        listed = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False)
        found.update(_LIBRARY.findall(listed.stdout))
    return found
