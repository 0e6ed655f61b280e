"""The example in a container of bubblewrap: installed as an ordinary user, started, asked, stopped."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.integration.depot.conftest import Ran, run

SCRIPT = """
set -e
rpm -i --nodeps --nosignature --dbpath /var/lib/rpm /packages/*.rpm
/opt/dsmt/pinger/status && exit 1
/opt/dsmt/pinger/start
/opt/dsmt/pinger/status
ls /var/pinger
/opt/dsmt/pinger/stop
/opt/dsmt/pinger/status || echo "status $?"
"""


def in_sliver(root: Path, packages: Path) -> Ran:
    """Run `SCRIPT` with a host's /usr, private directories and an inner user that is not root."""
    private = ("var", "tmp", "home", "opt", "usr/local")
    bound: list[str | Path] = []
    for name in private:
        (root / name).mkdir(parents=True)
        bound += ["--bind", root / name, f"/{name}"]
    usr: list[str | Path] = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib64", "sbin"):
        usr += ["--symlink", f"usr/{name}", f"/{name}"] if Path(f"/{name}").is_symlink() else []
    usr += ["--ro-bind", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    user = ["--unshare-user", "--uid", "1000", "--gid", "1000", "--unshare-pid", "--cap-drop", "ALL"]
    return run(
        *(
            "bwrap",
            *user,
            *usr,
            *bound,
            "--dir",
            "/run/dsmt",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--clearenv",
        ),
        *("--ro-bind", packages, "/packages", "--setenv", "PATH", "/usr/bin:/usr/sbin"),
        *("/bin/sh", "-c", SCRIPT),
    )


@pytest.mark.skipif(not (shutil.which("bwrap") and shutil.which("rpm")), reason="needs bubblewrap and rpm")
def test_the_two_packages_work_in_a_container(pinger_rpms: tuple[Path, Path], tmp_path: Path) -> None:
    probe = run("bwrap", "--unshare-user", "--ro-bind", "/", "/", "/bin/true")
    if probe.code:
        pytest.skip("this system forbids user namespaces")
    ran = in_sliver(tmp_path, pinger_rpms[0].parent)
    assert ran.code == 0, ran.out + ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "stopped"
    assert lines[1].startswith("pinger runs")
    assert lines[2].startswith("ok rtt_ms=")
    assert {"pid", "state"} <= set(lines)
    assert lines[-2:] == ["stopped", "status 3"]
    assert (tmp_path / "usr/local/pinger/start.sh").stat().st_uid == os.getuid()
