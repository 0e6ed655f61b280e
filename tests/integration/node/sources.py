"""A depot that misbehaves as it is told: it cuts off, lies, ignores what it is asked."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CONTENT = bytes(range(256)) * 8_192  # 2 MiB
DIGEST = hashlib.sha256(CONTENT).hexdigest()

# Answers one request; True when it did, False to have it answered as a good depot would.
Fault = Callable[["Handler"], bool]


class Handler(http.server.BaseHTTPRequestHandler):
    """Blobs with ranges."""

    server: Source
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append(self.headers.get("Range", ""))
        fault = self.server.faults.pop(0) if self.server.faults else None
        if fault is not None and fault(self):
            return
        begin = self.begin
        self.whole(206 if begin else 200, CONTENT[begin:], begin)

    @property
    def begin(self) -> int:
        """Where what is asked for begins."""
        return int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])

    def whole(self, status: int, content: bytes, begin: int = 0, *, length: int | None = None) -> None:
        """An answer; with a ``length`` beyond the content it is cut off."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        if status == 206:
            last = len(CONTENT) - 1
            self.send_header("Content-Range", f"bytes {begin}-{last}/{len(CONTENT)}")
        self.end_headers()
        # Before they are sent: who has them all may look at once.
        self.server.sent += len(content)
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, *_: Any) -> None: ...


class Source(http.server.ThreadingHTTPServer):
    """``faults`` are what the next requests meet; ``asked`` are the ranges that were asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: list[Fault | None] = []
        self.asked: list[str] = []
        self.sent = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving() -> Iterator[Source]:
    """A source that runs."""
    source = Source()
    thread = threading.Thread(target=source.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield source
    finally:
        source.shutdown()
        thread.join()
        source.server_close()


def cut(after: int) -> Fault:
    """Breaks off after so many bytes of what it was asked for."""

    def fault(handler: Handler) -> bool:
        begin = handler.begin
        part = CONTENT[begin : begin + after]
        handler.whole(206 if begin else 200, part, begin, length=len(CONTENT) - begin)
        return True

    return fault


def answers(status: int, content: bytes = b"") -> Fault:
    """Answers so, whatever it is asked."""

    def fault(handler: Handler) -> bool:
        handler.whole(status, content)
        return True

    return fault


def lies(after: int | None = None) -> Fault:
    """Sends other bytes of the right number; breaks off ``after`` some."""

    def fault(handler: Handler) -> bool:
        begin = handler.begin
        content = bytes(len(CONTENT) - begin)
        sent = content if after is None else content[:after]
        handler.whole(206 if begin else 200, sent, begin, length=len(content))
        return True

    return fault
