"""The depot as a process: started, asked, attacked, killed and started again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.depot.conftest import REPOSITORY, run
from tests.integration.depot.depot_process import (
    PLANNER,
    READS,
    WAIT_S,
    WRITES,
    Depot,
    command,
    running,
    sent,
)

BEGUN = (
    "PUT /v1/blobs HTTP/1.1\r\nHost: depot\r\nContent-Length: 9000\r\n"
    f"Authorization: Bearer {PLANNER}\r\n\r\n"
).encode()


@pytest.fixture
def depot(tmp_path: Path) -> Iterator[Depot]:
    with running(tmp_path, "--max-bytes", "2000000") as started:
        yield started


def files(data: Path) -> list[str]:
    return sorted(path.name for path in data.rglob("*") if path.is_file() and path.name != "lock")


def until_used(depot: Depot, size: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while depot.used() != size:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_packages_survive_a_kill_and_a_start(tmp_path: Path, pinger_rpms: tuple[Path, Path]) -> None:
    with running(tmp_path) as first:
        records = [first.put(path).json() for path in pinger_rpms]
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait(WAIT_S)
    assert [record["application"] for record in records] == ["", "pinger"]
    (tmp_path / "data" / "unfinished" / "half").write_bytes(b"x")
    with running(tmp_path) as second:
        for path, record in zip(pinger_rpms, records, strict=True):
            got = httpx.get(f"{second.url}/v1/blobs/{record['digest']}", headers=READS, timeout=WAIT_S)
            assert got.content == path.read_bytes()
        assert second.used() == sum(path.stat().st_size for path in pinger_rpms)
        assert len(files(tmp_path / "data")) == 4


def test_sigterm_ends_it_in_order(depot: Depot) -> None:
    depot.process.terminate()
    assert depot.process.wait(WAIT_S) == 0


def test_sigterm_ends_it_while_somebody_sends(depot: Depot) -> None:
    with socket.create_connection(depot.address) as connection:
        connection.sendall(BEGUN + b"x" * 100)
        until_used(depot, 9000)
        depot.process.terminate()
        assert depot.process.wait(WAIT_S) == 0
    assert files(depot.data) == []


def test_it_ends_with_its_owner(tmp_path: Path) -> None:
    with running(tmp_path, "--owner-pipe") as depot:
        assert depot.process.stdin
        depot.process.stdin.close()
        assert depot.process.wait(WAIT_S) == 0
        depot.process.stdin = None


def test_a_successor_waits_until_the_directory_is_free(tmp_path: Path) -> None:
    with running(tmp_path) as first, socket.create_connection(first.address) as connection:
        connection.sendall(BEGUN + b"x" * 100)
        until_used(first, 9000)
        first.process.terminate()
        with running(tmp_path) as second:
            assert first.process.wait(WAIT_S) == 0
            assert second.used() == 0


def test_a_sender_that_goes_leaves_nothing(bounded_depot: Depot) -> None:
    with socket.create_connection(bounded_depot.address) as connection:
        connection.sendall(BEGUN + b"x" * 100)
        until_used(bounded_depot, 9000)
    until_used(bounded_depot, 0)
    assert files(bounded_depot.data) == []


def test_a_package_beyond_the_bound_is_refused_before_it_was_sent(
    bounded_depot: Depot, tmp_path: Path
) -> None:
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(30_000_000)
    refused = bounded_depot.put(big)
    assert (refused.status_code, refused.json()["code"]) == (507, "full")
    assert files(bounded_depot.data) == []


def test_a_package_beyond_the_bound_is_refused_while_it_comes(bounded_depot: Depot) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(50):
            yield bytes(100_000)

    refused = httpx.put(f"{bounded_depot.url}/v1/blobs", content=pieces(), headers=WRITES, timeout=WAIT_S)
    assert (refused.status_code, refused.json()["code"]) == (507, "full")
    assert (bounded_depot.used(), files(bounded_depot.data)) == (0, [])


def test_an_altered_package_is_refused_by_its_digest(
    bounded_depot: Depot, pinger_rpms: tuple[Path, Path], tmp_path: Path
) -> None:
    content = bytearray(pinger_rpms[0].read_bytes())
    digest = hashlib.sha256(content).hexdigest()
    content[-20] ^= 1
    altered = tmp_path / "pinger-1.8.noarch.rpm"
    altered.write_bytes(content)
    for headers in ({"X-Content-SHA256": digest}, {}):
        refused = bounded_depot.put(altered, **headers)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert files(bounded_depot.data) == []


def test_many_send_the_same_at_once_and_it_is_there_once(
    depot: Depot, pinger_rpms: tuple[Path, Path]
) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(depot.put(pinger_rpms[0]).status_code))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert answers == [200] * 6
    assert depot.used() == pinger_rpms[0].stat().st_size
    assert len(files(depot.data)) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"PUT /v1/blobs HTTP/1.1\r\nHost: d\r\nContent-Length: -1\r\n\r\n",
        b"PUT /v1/blobs HTTP/1.1\r\nHost: d\r\nContent-Length: 99999999999999999999\r\n\r\nx",
        b"GET /v1/blobs/" + b"../" * 200 + b"etc/passwd HTTP/1.1\r\nHost: d\r\n\r\n",
        b"GET /" + b"x" * 200_000,
    ],
)
def test_broken_requests_are_refused_and_it_goes_on(content: bytes, bounded_depot: Depot) -> None:
    with contextlib.suppress(ConnectionError):
        assert b" 200 " not in sent(bounded_depot, content)
    assert bounded_depot.used() == 0


def test_the_memory_stays_small_while_a_large_package_passes(tmp_path: Path) -> None:
    with running(tmp_path) as depot:
        depot.used()
        before = _rss_mb(depot.process.pid)
        big = tmp_path / "big"
        with big.open("wb") as file:
            file.write(b"\xed\xab\xee\xdb")
            file.truncate(200 << 20)
        with big.open("rb") as file:
            refused = httpx.put(f"{depot.url}/v1/blobs", content=file, headers=WRITES, timeout=60)
        assert refused.status_code == 422
        assert _peak_mb(depot.process.pid) - before < 60


def test_a_second_depot_on_the_same_port_or_directory_says_so(depot: Depot, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    host, port = depot.address
    taken = run(*command(other, "--listen", f"{host}:{port}"), PYTHONPATH=str(REPOSITORY))
    assert (taken.code, f"port {port}" in taken.err) == (6, True)
    same = run(*command(tmp_path), PYTHONPATH=str(REPOSITORY))
    assert (same.code, "another depot uses" in same.err) == (6, True)


@pytest.mark.parametrize("listen", ["127.0.0.1", "127.0.0.1:x", ":1", "127.0.0.1:99999", "192.0.2.1:0"])
def test_an_address_that_is_none_is_refused_in_one_line(listen: str, tmp_path: Path) -> None:
    refused = run(*command(tmp_path, "--listen", listen), PYTHONPATH=str(REPOSITORY))
    assert refused.code == 3
    assert refused.err.startswith("dsmt-depot: ")
    assert "Traceback" not in refused.err


def test_a_secret_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    starting = command(tmp_path)
    (tmp_path / "secrets.json").chmod(0o644)
    refused = run(*starting, PYTHONPATH=str(REPOSITORY))
    assert (refused.code, "chmod 600" in refused.err) == (3, True)


def _rss_mb(pid: int) -> float:
    return _memory(pid, "VmRSS")


def _peak_mb(pid: int) -> float:
    return _memory(pid, "VmHWM")


def _memory(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024
