"""A depot, a mirror of it and the downloads of nodes, as they are run."""

from __future__ import annotations

import contextlib
import signal
import time
from pathlib import Path

import httpx
import pytest

from agents.package_cache import PackageCache
from agents.package_download import Depot
from benchmarks.mirror import Package as Bench
from benchmarks.mirror import measure
from tests.integration.depot.conftest import REPOSITORY, run
from tests.integration.depot.depot_process import READS, WAIT_S, command, running
from tests.integration.depot.depot_process import Depot as Process
from tests.integration.node.sources import CONTENT, DIGEST, lies, serving

TOKEN = READS["Authorization"].removeprefix("Bearer ")


def put(depot: Process, path: Path, size: int = 1 << 20) -> Bench:
    package = Bench.of(size)
    path.write_bytes(package.content)
    depot.put(path).raise_for_status()
    return package


def test_many_nodes_of_a_site_cost_the_depot_each_byte_once(tmp_path: Path) -> None:
    found = measure(nodes=12, size=2 << 20, directory=tmp_path)
    assert found["depot_sent_bytes"] == found["package_bytes"]
    assert found["mirror_sent_bytes"] == 12 * found["package_bytes"]


async def fetched(tmp_path: Path, source: Depot, digest: str, size: int) -> bytes:
    node = tmp_path / f"node{time.monotonic_ns()}"
    (node / "sliver").mkdir(parents=True)
    cache = PackageCache(node / "cache", most_bytes=1 << 30, depot=source)
    name = await cache.fetch(digest, size, into=node / "sliver")
    return (node / "sliver" / name).read_bytes()


@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGTERM])
async def test_either_may_be_away(tmp_path: Path, fate: signal.Signals) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with contextlib.ExitStack() as stack:
        depot = stack.enter_context(running(tmp_path / "a"))
        mirror = stack.enter_context(running(tmp_path / "b", "--mirror-of", depot.url))
        package = put(depot, tmp_path / "first")
        other = put(depot, tmp_path / "second")
        source, size = Depot(depot.url, TOKEN, mirror.url), len(package.content)
        assert await fetched(tmp_path, source, package.digest, size) == package.content
        depot.process.send_signal(fate)
        depot.process.wait(WAIT_S)
        assert await fetched(tmp_path, source, package.digest, size) == package.content
    with contextlib.ExitStack() as stack:
        depot = stack.enter_context(running(tmp_path / "a"))
        mirror = stack.enter_context(running(tmp_path / "b", "--mirror-of", depot.url))
        mirror.process.send_signal(fate)
        mirror.process.wait(WAIT_S)
        source = Depot(depot.url, TOKEN, mirror.url)
        assert await fetched(tmp_path, source, other.digest, len(other.content)) == other.content


async def test_a_mirror_of_a_liar_serves_nothing_and_the_node_goes_to_the_depot(tmp_path: Path) -> None:
    with serving() as liar, serving() as depot, running(tmp_path, "--mirror-of", liar.url) as mirror:
        liar.faults = [lies()] * 20
        source = Depot(depot.url, TOKEN, mirror.url)
        assert await fetched(tmp_path, source, DIGEST, len(CONTENT)) == CONTENT
        async with httpx.AsyncClient(headers=READS, timeout=WAIT_S) as client:
            got = await client.get(f"{mirror.url}/v1/blobs/{DIGEST}")
        assert got.status_code == 503
        assert not list((mirror.data / "blobs").glob("??/*"))


def test_a_wrong_url_is_one_plain_line(tmp_path: Path) -> None:
    refused = run(*command(tmp_path, "--mirror-of", "ftp://depot"), PYTHONPATH=str(REPOSITORY))
    assert (refused.code, refused.err.count("\n")) == (3, 2)
