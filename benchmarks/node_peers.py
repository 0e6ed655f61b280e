"""What one would run on a node instead: their memory, and the time of bare bubblewrap and rpm.

Each agent runs with the smallest configuration with which it works on, and nobody to talk to: connected
it would need more, never less. Who is not installed here is None, with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.node_processes import below, rss_mb, uss_mb
from dsmt_core.packages import PackageRef

_SETTLES_S: Final = 12.0
_ENDS_S: Final = 10.0
_REASON = "{0} is not on the PATH ({1})"
_SALT = "master: 127.0.0.1\nid: bench\nroot_dir: {0}\npki_dir: {0}/pki\nsock_dir: {0}/run\n"
_MCOLLECTIVE = """\
main_collective = mcollective
collectives = mcollective
libdir = /usr/share/mcollective/plugins
logfile = {0}/log
daemonize = 0
connector = rabbitmq
securityprovider = psk
plugin.psk = bench
plugin.rabbitmq.vhost = /
plugin.rabbitmq.pool.size = 1
plugin.rabbitmq.pool.1.host = 127.0.0.1
plugin.rabbitmq.pool.1.port = 9
factsource = yaml
plugin.yaml = {0}/facts.yaml
"""


def memory() -> dict[str, Any]:
    """RSS and own memory of each of them, with all its processes, in MB."""
    figures: dict[str, Any] = {}
    for name, where, command in (
        ("salt-minion", "pip install salt", _salt),
        ("mcollectived", "apt-get install mcollective", _mcollective),
        ("serf", "apt-get install serf", _serf),
    ):
        key = name.replace("-", "_")
        if shutil.which(name) is None:
            figures |= {
                f"{key}_rss_mb": None,
                f"{key}_uss_mb": None,
                f"{key}_reason": _REASON.format(name, where),
            }
        else:
            figures |= _measured(key, command)
    return figures


def plain_ms(packages: Sequence[tuple[PackageRef, bytes]]) -> float:
    """Milliseconds for bubblewrap with `rpm -i` of these packages in it, called by a script."""
    with tempfile.TemporaryDirectory(prefix="dsmt-bench-") as folder:
        root = Path(folder)
        for name in ("opt", "var", "tmp", "local", "packages"):
            (root / name).mkdir()
        files = []
        for ref, content in packages:
            (root / "packages" / ref.filename).write_bytes(content)
            files.append(f"/packages/{ref.filename}")
        walls = ["bwrap", "--unshare-user", "--unshare-pid", "--uid", "1000", "--gid", "1000"]
        walls += [
            "--ro-bind",
            "/usr",
            "/usr",
            "--symlink",
            "usr/bin",
            "/bin",
            "--symlink",
            "usr/lib",
            "/lib",
        ]
        walls += ["--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev"]
        for name, inside in (
            ("opt", "/opt"),
            ("var", "/var"),
            ("tmp", "/tmp"),  # noqa: S108 - of the sliver
            ("local", "/usr/local"),
            ("packages", "/packages"),
        ):
            walls += ["--bind", str(root / name), inside]
        command = [*walls, "rpm", "-i", "--nodeps", "--dbpath", "/var/lib/rpm", *files]
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return (time.perf_counter() - began) * 1e3


def _measured(key: str, command: Callable[[Path], list[str]]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="dsmt-bench-") as folder:
        process = subprocess.Popen(
            command(Path(folder)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            time.sleep(_SETTLES_S)
            if process.poll() is not None:
                reason = f"it ended with {process.returncode}"
                return {f"{key}_rss_mb": None, f"{key}_uss_mb": None, f"{key}_reason": reason}
            pids = below(process.pid)
            return {
                f"{key}_rss_mb": round(sum(map(rss_mb, pids)), 1),
                f"{key}_uss_mb": round(sum(map(uss_mb, pids)), 1),
                f"{key}_processes": len(pids),
            }
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    pids = below(process.pid)
    process.terminate()
    try:
        process.wait(_ENDS_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in pids[1:]:
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            continue


def _salt(folder: Path) -> list[str]:
    (folder / "minion").write_text(_SALT.format(folder))
    return ["salt-minion", "-c", str(folder), "--disable-keepalive"]


def _mcollective(folder: Path) -> list[str]:
    (folder / "facts.yaml").write_text("--- {}\n")
    (folder / "server.cfg").write_text(_MCOLLECTIVE.format(folder))
    return ["mcollectived", "--no-daemonize", "--config", str(folder / "server.cfg")]


def _serf(_folder: Path) -> list[str]:
    return ["serf", "agent", "-node=bench", "-bind=127.0.0.1:0", "-rpc-addr=127.0.0.1:0"]


if __name__ == "__main__":
    sys.stdout.write(f"{memory()}\n")
