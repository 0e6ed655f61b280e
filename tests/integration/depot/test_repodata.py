"""What dnf is told of packages, made by a depot that runs, read by createrepo_c and, where it is, dnf."""

from __future__ import annotations

import base64
import gzip
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import createrepo_c
import httpx
import pytest

from tests.integration.depot.depot_process import READS, WAIT_S, WRITES, Depot, running


@pytest.fixture
def depot(tmp_path: Path) -> Iterator[Depot]:
    with running(tmp_path) as started:
        yield started


def described(depot: Depot, paths: list[Path], **more: Any) -> httpx.Response:
    packages = [{"filename": path.name, "digest": depot.put(path).json()["digest"]} for path in paths]
    asked = {"packages": packages, **more}
    return httpx.post(f"{depot.url}/v1/repodata", json=asked, headers=WRITES, timeout=WAIT_S)


def unpacked(answer: httpx.Response, directory: Path) -> Path:
    """The files of ``repodata`` in a directory."""
    (directory / "repodata").mkdir(parents=True)
    for name, text in answer.json()["files"].items():
        (directory / "repodata" / name).write_bytes(base64.b64decode(text))
    return directory


def test_it_reads_back_as_what_was_put(
    depot: Depot, pinger_rpms: tuple[Path, Path], tmp_path: Path
) -> None:
    repository = unpacked(described(depot, [*pinger_rpms]), tmp_path / "repo")
    reader = createrepo_c.RepositoryReader.from_path(str(repository))
    read = {one.name: one for one in reader.iter_packages()}
    assert set(read) == {"pinger", "dsmtw_pinger"}
    for path in pinger_rpms:
        one = next(each for each in read.values() if each.location_href == f"packages/{path.name}")
        assert one.pkgId == depot.put(path).json()["digest"]
        assert one.size_package == path.stat().st_size
    assert "pinger" in {entry[0] for entry in read["dsmtw_pinger"].requires}
    assert any(entry[2] == "pinger" for entry in read["pinger"].files) or read["pinger"].files
    (primary,) = (repository / "repodata").glob("*-primary.xml.gz")
    assert b'packages="2"' in gzip.decompress(primary.read_bytes())[:400]


def test_nothing_is_a_repository_too(depot: Depot, tmp_path: Path) -> None:
    repository = unpacked(described(depot, []), tmp_path / "repo")
    assert not list(createrepo_c.RepositoryReader.from_path(str(repository)).iter_packages())


def test_only_the_planner_may_ask_and_nonsense_is_refused(depot: Depot) -> None:
    url = f"{depot.url}/v1/repodata"
    assert httpx.post(url, json={"packages": []}, headers=READS, timeout=WAIT_S).status_code == 403
    climbs = {"filename": "../x", "digest": "a"}
    bodies: list[Any] = [{}, [], {"packages": 5}, {"packages": [1]}, {"packages": [climbs]}]
    for body in bodies:
        assert httpx.post(url, json=body, headers=WRITES, timeout=WAIT_S).status_code == 422
    gone = {"packages": [{"filename": "x.rpm", "digest": "a" * 64}]}
    assert httpx.post(url, json=gone, headers=WRITES, timeout=WAIT_S).json()["left_out"] == []


@pytest.mark.skipif(not (shutil.which("dnf") or os.environ.get("CI")), reason="dnf is not installed")
def test_dnf_reads_it(depot: Depot, pinger_rpms: tuple[Path, Path], tmp_path: Path) -> None:
    repository = unpacked(described(depot, [*pinger_rpms]), tmp_path / "repo")
    (repository / "packages").mkdir()
    for path in pinger_rpms:
        shutil.copy(path, repository / "packages")
    options = ["-q", f"--repofrompath=dsmt,file://{repository}", "--repo=dsmt", "--nogpgcheck"]
    options += [
        f"--setopt=cachedir={tmp_path / 'cache'}",
        f"--installroot={tmp_path / 'root'}",
        "--releasever=1",
    ]
    asked = ["dnf", *options, "repoquery", "--requires", "dsmtw_pinger"]
    found = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=WAIT_S)
    assert "pinger" in found.stdout
