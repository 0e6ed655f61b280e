"""A planner's face over a great fleet that was never there: the status that it tells is the planner's own.

The fleet is `reconcile_rig`'s, settled; each request computes `planner.reconcile.summary` anew and writes
it as JSON. So a command can be timed against thousands of nodes without starting them.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.reconcile_rig import SLICE, Rig
from planner.reconcile import summary


class Face:
    """Serves ``GET …/status`` on a free port of this machine until it is closed.

    Args:
        nodes: how many hosts the slice is on.
    """

    def __init__(self, nodes: int) -> None:
        # Of those nine in ten are in the slice.
        self._rig = Rig(-(-nodes * 10 // 9))
        self._rig.join()
        self._rig.settle()
        face = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                """Any path: there is one answer."""
                body = json.dumps(face.status()).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def status(self) -> dict[str, Any]:
        """Of the slice."""
        return summary(self._rig.slice, self._rig.fleet, now=self._rig.now)

    def timed(self) -> float:
        """How long the planner itself takes to tell it, seconds."""
        began = time.perf_counter()
        json.dumps(self.status())
        return time.perf_counter() - began

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


__all__ = ["SLICE", "Face"]
