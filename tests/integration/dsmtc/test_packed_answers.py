"""Compressed answers: asked for from afar, read within bounds, and nothing else is taken for one."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from dsmt_core.errors import DsmtError
from dsmtc.client import Client, Credentials, transport
from dsmtc.client.packed import _read, asking

ROWS = json.dumps([{"host": f"node{number}"} for number in range(1000)]).encode()


@pytest.mark.parametrize(
    ("host", "asks"), [("planner.example.org", 1), ("127.0.0.1", 0), ("::1", 0), (None, 1)]
)
def test_on_ones_own_machine_it_is_work_for_nothing(host: str | None, asks: int) -> None:
    assert len(asking(host)) == asks


def test_a_body_is_read_within_bounds() -> None:
    packed = gzip.compress(ROWS, mtime=0)
    assert _read(packed, len(ROWS) + 1) == ROWS
    # What would fill the memory is too long, and what breaks off is nothing.
    assert len(_read(gzip.compress(b" " * 50_000_000, mtime=0), 1000)) == 1000
    assert _read(packed[:-9], len(ROWS) + 1) == b""
    assert _read(b"no gzip", 1000) == b""


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (gzip.compress(ROWS, mtime=0), 1000),
        (gzip.compress(b"[" + b" " * 50_000 + b"]", mtime=0), "above"),
        (b"\x1f\x8b broken", "not a planner"),
    ],
    ids=["whole", "too long", "broken"],
)
def test_an_answer_from_afar(monkeypatch: pytest.MonkeyPatch, body: bytes, found: int | str) -> None:
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers.get_all("Accept-Encoding"))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    monkeypatch.setattr(transport, "asking", lambda _host: asking("planner.example.org"))
    monkeypatch.setattr(transport, "ANSWER_BYTES", 40_000)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            with Client(f"http://127.0.0.1:{server.server_port}", Credentials(token="known")) as client:
                if isinstance(found, int):
                    assert len(client.node_names()) == found
                else:
                    with pytest.raises(DsmtError, match=found):
                        client.node_names()
        finally:
            server.shutdown()
            serving.join()
    assert asked == [["gzip"]]
