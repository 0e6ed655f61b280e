"""A depot as a process, for the tests of this room; and raw bytes for it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

REPOSITORY = Path(__file__).parents[3]
PLANNER, NODE = "planner-secret-0123456789", "node-secret-0123456789"
WAIT_S = 60.0
WRITES = {"Authorization": f"Bearer {PLANNER}"}
READS = {"Authorization": f"Bearer {NODE}"}


@dataclass(slots=True)
class Depot:
    """A depot that runs."""

    process: subprocess.Popen[bytes]
    url: str
    data: Path

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 0)

    def put(self, path: Path, **headers: str) -> httpx.Response:
        content = path.read_bytes()
        return httpx.put(
            f"{self.url}/v1/blobs", content=content, headers={**WRITES, **headers}, timeout=WAIT_S
        )

    def used(self) -> int:
        return int(httpx.get(f"{self.url}/v1/health", timeout=WAIT_S).json()["used"])


def command(directory: Path, *options: str) -> list[str]:
    secrets = directory / "secrets.json"
    if not secrets.exists():
        secrets.touch(mode=0o600)
        secrets.write_text(json.dumps({"planner": PLANNER, "node": NODE}))
    options = (*options, "--data", str(directory / "data"), "--secret-file", str(secrets))
    return [sys.executable, "-m", "depot.main", "run", *options]


@contextlib.contextmanager
def running(directory: Path, *options: str) -> Iterator[Depot]:
    ready = directory / "ready.json"
    ready.unlink(missing_ok=True)
    with subprocess.Popen(
        command(directory, "--ready-file", str(ready), *options),
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            deadline = time.monotonic() + WAIT_S
            while not ready.exists():
                assert process.poll() is None, process.communicate()[1]
                assert time.monotonic() < deadline
                time.sleep(0.02)
            told = json.loads(ready.read_text())
            assert told["pid"] == process.pid
            yield Depot(process, told["url"], directory / "data")
        finally:
            process.kill()
            process.communicate()


def sent(depot: Depot, content: bytes) -> bytes:
    """What the depot answers to raw bytes."""
    with socket.create_connection(depot.address, timeout=WAIT_S) as connection:
        connection.sendall(content)
        with contextlib.suppress(
            OSError
        ):  # it may have closed already, and that is told as "not connected"
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
        return answer
