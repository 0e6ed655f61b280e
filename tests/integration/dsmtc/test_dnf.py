"""Real dnf against a planner that runs: it reads the slice's repository, and downloads from it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dsmtc.client import Client, Credentials
from tests.integration.depot.conftest import pinger_rpms as pinger_rpms  # noqa: PLC0414 - a fixture
from tests.integration.depot.conftest import pinger_tgz as pinger_tgz  # noqa: PLC0414 - a fixture
from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.test_real_planner import ADMIN, PASSWORD, PATIENCE_S, Planner, create
from tests.integration.dsmtc.test_real_planner import me as me  # noqa: PLC0414 - a fixture
from tests.integration.dsmtc.test_real_planner import planner as planner  # noqa: PLC0414 - a fixture

pytestmark = pytest.mark.skipif(
    not (shutil.which("dnf") or os.environ.get("CI")), reason="dnf is not installed"
)


def test_dnf_reads_a_slice_and_downloads(
    me: Dsmtc, planner: Planner, pinger_rpms: tuple[Path, Path], tmp_path: Path
) -> None:
    create(me, "read_by_dnf")
    assert me("depot", "put", *map(str, pinger_rpms)).code == 0
    with Client(planner.url, Credentials(ADMIN, PASSWORD, "admin")) as admin:
        admin.whoami()
        token = admin.token
    (tmp_path / "repos").mkdir()
    lines = [
        "[dsmt]\nname=dsmt",
        f"baseurl={planner.url}/v1/slices/read_by_dnf/repo",
        f"username=dsmt\npassword={token}\ngpgcheck=0\n",
    ]
    (tmp_path / "repos" / "dsmt.repo").write_text("\n".join(lines))
    options = ["-q", f"--setopt=reposdir={tmp_path / 'repos'}", f"--setopt=cachedir={tmp_path / 'cache'}"]
    options += [f"--installroot={tmp_path / 'root'}", "--releasever=1"]

    def dnf(*words: str) -> str:
        asked = ["dnf", *options, *words]
        ended = subprocess.run(asked, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
        assert ended.returncode == 0, ended
        return ended.stdout

    dnf("makecache")
    assert "pinger" in dnf("repoquery", "--requires", "dsmtw_pinger")
    assert "dsmtw_pinger" in dnf("repoquery")
    wrapper = dnf("repoquery", "--location", "dsmtw_pinger").strip()
    assert wrapper.endswith(f"/repo/packages/{pinger_rpms[1].name}")
    assert "Name         : pinger" in dnf("repoquery", "--info", "pinger")
    dnf("install", "-y", "--downloadonly", "pinger")
    (fetched,) = (tmp_path / "cache").rglob(pinger_rpms[0].name)
    assert fetched.read_bytes() == pinger_rpms[0].read_bytes()
