"""What a mirror spares: ``python -m benchmarks.mirror --json``.

A depot and a mirror of it as processes, and the downloads of many nodes (the code that a node runs, each
with a cache of its own) at once. Told are the bytes that each side sent, and the time; beside it, the same
nodes without a mirror.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from agents.package_cache import PackageCache
from agents.package_download import Depot

PLANNER: Final = "planner-secret-of-the-bench"
NODE: Final = "node-secret-of-the-bench"
_READY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Package:
    """What the nodes install."""

    content: bytes
    digest: str

    @classmethod
    def of(cls, size: int) -> Package:
        """A tarball with a start script and ``size`` bytes that cannot be packed."""
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as tar:
            for name, content in (("start.sh", b"#!/bin/sh\nexec sleep 60\n"), ("data", os.urandom(size))):
                member = tarfile.TarInfo(f"bench-1.0/{name}")
                member.mode, member.size = 0o755, len(content)
                tar.addfile(member, io.BytesIO(content))
        return cls(raw.getvalue(), hashlib.sha256(raw.getvalue()).hexdigest())


@contextmanager
def depot(directory: Path, *options: str) -> Iterator[str]:
    """A ``dsmt-depot run`` in ``directory`` with ``options``; its URL."""
    directory.mkdir(parents=True)
    secrets, ready = directory / "secrets.json", directory / "ready.json"
    secrets.touch(mode=0o600)
    secrets.write_text(json.dumps({"planner": PLANNER, "node": NODE}))
    command = [sys.executable, "-m", "depot.main", "run", "--data", str(directory / "data")]
    command += ["--secret-file", str(secrets), "--ready-file", str(ready), "--owner-pipe", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + _READY_S
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the depot does not start")
                time.sleep(0.02)
            yield str(json.loads(ready.read_text())["url"])
        finally:
            process.kill()


def sent(url: str) -> int:
    """Bytes of packages that a depot or a mirror has sent."""
    return int(httpx.get(f"{url}/v1/health", timeout=30).json()["sent"])


async def install(directory: Path, source: Depot, package: Package, nodes: int) -> float:
    """All nodes fetch the package at once; seconds."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(nodes + 4))
    caches, places = [], []
    for number in range(nodes):
        node = directory / f"node{number}"
        (node / "sliver").mkdir(parents=True)
        caches.append(PackageCache(node / "cache", most_bytes=1 << 30, depot=source))
        places.append(node / "sliver")
    began = time.monotonic()
    size = len(package.content)
    fetches = zip(caches, places, strict=True)
    await asyncio.gather(*(cache.fetch(package.digest, size, into=into) for cache, into in fetches))
    return time.monotonic() - began


def measure(*, nodes: int, size: int, directory: Path) -> dict[str, Any]:
    """The figures.

    Args:
        nodes: of the site.
        size: of the package, bytes.
        directory: empty; needs room for ``2 * nodes + 2`` packages.
    """
    package = Package.of(size)
    with depot(directory / "depot") as main, depot(directory / "mirror", "--mirror-of", main) as mirror:
        headers = {"Authorization": f"Bearer {PLANNER}"}
        httpx.put(
            f"{main}/v1/blobs", content=package.content, headers=headers, timeout=60
        ).raise_for_status()
        mirrored = asyncio.run(install(directory / "with", Depot(main, NODE, mirror), package, nodes))
        by_depot, by_mirror = sent(main), sent(mirror)
        alone = asyncio.run(install(directory / "without", Depot(main, NODE), package, nodes))
        return {
            "nodes": nodes,
            "package_bytes": len(package.content),
            "depot_sent_bytes": by_depot,
            "depot_sent_each_byte_times": round(by_depot / len(package.content), 3),
            "mirror_sent_bytes": by_mirror,
            "seconds": round(mirrored, 2),
            "without_mirror_depot_sent_bytes": sent(main) - by_depot,
            "without_mirror_seconds": round(alone, 2),
        }


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mirror", description="What a mirror spares."
    )
    parser.add_argument("--nodes", type=int, default=50)
    parser.add_argument("--megabytes", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        found = measure(nodes=options.nodes, size=options.megabytes << 20, directory=Path(directory))
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name:36} {value}")


if __name__ == "__main__":
    main()
