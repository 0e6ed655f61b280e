"""The container engine's answers that are no failure, or not for long."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from agents.container_manager.images.engine import Engine
from dsmt_core.errors import Unavailable

CROSSED = "cannot remove container c1: sending SIGKILL to it: container state improper: stopped"


class Server(socketserver.UnixStreamServer):
    """Answers each request with the next of `answers`, and keeps what was asked."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Handler)
        self.answers: list[tuple[int, str]] = []
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    def do_DELETE(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked.append(self.path)
        status, message = self.server.answers.pop(0)
        body = json.dumps({"message": message}).encode() if message else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the test asks."""

    def address_string(self) -> str:
        return "unix"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "engine.sock") as served:
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        served.shutdown()
        thread.join()


@pytest.fixture
def engine(server: Server, tmp_path: Path) -> Engine:
    return Engine(lambda: tmp_path / "engine.sock")


def test_a_container_that_ends_by_itself_meanwhile_is_removed_at_the_next_attempt(
    engine: Engine, server: Server
) -> None:
    server.answers = [(500, CROSSED), (500, CROSSED), (204, "")]
    engine.remove("c1")
    assert server.answers == []


def test_one_that_is_not_there_is_removed(engine: Engine, server: Server) -> None:
    server.answers = [(404, "no such container")]
    engine.remove("c1")
    assert server.answers == []


@pytest.mark.parametrize(("message", "asked"), [("its disk is gone", 1), (CROSSED, 5)])
def test_what_stays_so_is_told(engine: Engine, server: Server, message: str, asked: int) -> None:
    server.answers = [(500, message)] * 9
    with pytest.raises(Unavailable, match=message[:16]):
        engine.remove("c1")
    assert len(server.asked) == asked
