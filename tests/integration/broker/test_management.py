"""The management interface in trouble of its own: it is asked again, and what it refuses is told."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from broker.management import Management
from broker.server.private import PrivateBroker
from dsmt_core.errors import Denied, Unavailable

Ask = Callable[[str], Any]


@contextlib.contextmanager
def answering(*statuses: HTTPStatus) -> Iterator[tuple[Ask, list[str]]]:
    """An interface that answers with these, one after the other; and what it was asked."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline()
            if self.parse_request():
                self.send_response(statuses[len(asked)])
                asked.append(self.command)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    management = Management(f"http://127.0.0.1:{server.server_port}", "admin", "x")
    try:
        yield lambda method: management.request(method, "/users"), asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


BROKEN, GOOD = HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.OK


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_what_is_broken_is_asked_again(method: str) -> None:
    with answering(BROKEN, BROKEN, GOOD) as (ask, asked):
        assert ask(method) == {}
    assert asked == [method] * 3


def test_trouble_that_lasts_is_told() -> None:
    with answering(*[BROKEN] * 20) as (ask, asked), pytest.raises(Unavailable, match="GET /users with 500"):
        ask("GET")
    assert 1 < len(asked) < 20


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_what_is_refused_is_asked_once(method: str) -> None:
    with answering(HTTPStatus.FORBIDDEN) as (ask, asked), pytest.raises(Denied):
        ask(method)
    assert asked == [method]


def test_users_are_listed_while_others_go(rabbit: PrivateBroker) -> None:
    """RabbitMQ itself: now and then it answers 500 then."""
    management, names = rabbit.management, [f"leaving{number}" for number in range(4)]

    def listed(_: int) -> int:
        return len(management.request("GET", "/users"))

    with ThreadPoolExecutor(4) as several:
        found = several.map(listed, range(2_000))
        for _ in range(20):
            for name in names:
                management.request("PUT", f"/users/{name}", {"password": "x", "tags": ""})
            management.remove_users(names)
        assert min(found) >= 1
