"""What a server of DSMT tells Prometheus: ``/metrics``, and its own requests by route.

Rule of this file: whoever asks shows the token that the operator chose, or nobody has to; nothing in
between, because a proxy on the same machine would make every stranger local. Labels are routes, never
paths: what strangers ask for makes no series.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dsmt_core.errors import Invalid

PATH: Final = "/metrics"
OPEN: Final = "open"
_TOKEN_LEAST: Final = 16
_TOKEN_BYTES: Final = 4096
# A lookup, a page of a slice, a package, a wait.
_BUCKETS: Final = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0)
_NO_ROUTE: Final = "none"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who may read the metrics.

    Attributes:
        source: what ``--metrics`` said.
        token: must be shown; empty: nothing has to be.
    """

    source: str = OPEN
    token: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> Reader | None:
        """Read what ``--metrics`` says: ``open``, or the file that holds the token; None where it is empty.

        Raises:
            Invalid: the file cannot be read, or what it holds is no token.
        """
        if not text or text == OPEN:
            return cls() if text else None
        try:
            with Path(text).open("rb") as file:
                token = file.read(_TOKEN_BYTES).decode("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not ASCII"
            raise Invalid(
                f"--metrics {text}: {why}",
                hint="a file with a token, or `open` to let everybody read",
            ) from error
        if len(token) < _TOKEN_LEAST or not token.isprintable() or " " in token:
            raise Invalid(
                f"--metrics {text}: a token has {_TOKEN_LEAST} characters or more, without spaces",
                hint="openssl rand -hex 24",
            )
        return cls(text, token)

    def may_read(self, authorization: str) -> bool:
        """Whether who sends this header may read."""
        if not self.token:
            return True
        kind, _, shown = authorization.partition(" ")
        return kind.lower() == "bearer" and secrets.compare_digest(
            shown.strip().encode(), self.token.encode()
        )


class Metered:
    """Counts the requests of an ASGI application, and answers ``/metrics`` beside it.

    Args:
        app: whose.
        routes: of the application.
        reader: who may read; None: nobody, and the path is as unknown as any other.
        about: what else is told, read when it is asked for.
        program: its name, for ``dsmt_build_info``.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Iterable[BaseRoute],
        reader: Reader | None,
        about: Iterable[Collector],
        program: str,
    ) -> None:
        self._app = app
        self._routes = {one.endpoint: one.path for one in routes if isinstance(one, Route)}
        self._reader = reader
        self._registry = CollectorRegistry(auto_describe=False)
        registry = self._registry
        ProcessCollector(registry=registry)
        for one in about:
            registry.register(one)
        build = Gauge(
            "dsmt_build_info", HTTP_METRICS["dsmt_build_info"], ["program", "version"], registry=registry
        )
        build.labels(program, version("dsmt")).set(1)
        self._requests = Counter(
            "dsmt_http_requests",
            HTTP_METRICS["dsmt_http_requests_total"],
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "dsmt_http_request_seconds",
            HTTP_METRICS["dsmt_http_request_seconds"],
            ["route"],
            buckets=_BUCKETS,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or self._reader is None:
            await self._app(scope, receive, send)
        elif scope["path"] == PATH and scope["method"] in {"GET", "HEAD"}:
            await self._answer(scope, self._reader)(scope, receive, send)
        else:
            await self._counted(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            # Routing leaves in the scope what it found.
            route = self._routes.get(scope.get("endpoint", _nowhere), _NO_ROUTE)
            self._requests.labels(_METHODS.get(scope["method"], "other"), route, status).inc()
            self._seconds.labels(route).observe(time.perf_counter() - began)

    def _answer(self, scope: Scope, reader: Reader) -> Response:
        shown = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if not reader.may_read(shown.get(b"authorization", "")):
            return PlainTextResponse(
                "the metrics want the token of --metrics: Authorization: Bearer TOKEN\n",
                status_code=401,
                headers={"www-authenticate": "Bearer"},
            )
        encode, kind = choose_encoder(shown.get(b"accept", ""))
        return Response(encode(self._registry), media_type=kind, headers={"cache-control": "no-store"})


def _nowhere() -> None:
    """The endpoint of what has no route."""


# A stranger may send any word as a method.
_METHODS: Final = {one: one for one in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}

HTTP_METRICS: Final = {
    "dsmt_build_info": "Always 1; which program of which version this is.",
    "dsmt_http_requests_total": "Requests that were answered, by method, route and status.",
    "dsmt_http_request_seconds": "How long they took, by route; streams and waits are among them.",
}
