"""Every request that may change something is an act, and its entry is in the log before its answer goes.

An entry that cannot be written makes the answer an error: nothing happens that nobody could find later.
"""

from __future__ import annotations

import json
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dsmt_core.errors import DsmtError
from planner.api.refusals import answer
from planner.audit.act import DONE, Act, acting
from planner.audit.words import ASKS_ONLY, named, word_of
from planner.service.audit import Audit

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_KEPT_BYTES: Final = 1 << 20
_log = structlog.get_logger(__name__)


class Audited:
    """Serves requests as acts."""

    def __init__(self, app: ASGIApp, audit: Audit) -> None:
        self._app = app
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] in _SAFE:
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        act = Act(origin=str(client[0]) if client else "")
        served = _Served(self._audit, act, scope, receive, send)
        act.describe = served.describe
        with acting(act):
            try:
                await self._app(scope, served.receive, served.send)
            except Exception:
                await served.failed()
                raise


class _Served:
    """One request, its act, and what was sent and is answered."""

    def __init__(self, audit: Audit, act: Act, scope: Scope, receive: Receive, send: Send) -> None:
        self._audit = audit
        self._act = act
        self._scope = scope
        self._receive = receive
        self._send = send
        self._body = b""
        self._told = False
        self._replaced = False

    async def receive(self) -> Message:
        """The next message of the request; the beginning of the body is kept."""
        message = await self._receive()
        if len(self._body) < _KEPT_BYTES:
            self._body += message.get("body", b"")[:_KEPT_BYTES]
        return message

    async def send(self, message: Message) -> None:
        """The next message of the answer, after the entry is written."""
        if message["type"] == "http.response.start" and not self._told:
            self._told = True
            status = int(message["status"])
            try:
                await self._settle(status)
            except DsmtError as error:
                self._replaced = True
                _log.error("an act could not be entered", act=self._act.word, reason=str(error))
                await answer(error)(self._scope, self._receive, self._send)
        if not self._replaced:
            await self._send(message)

    async def failed(self) -> None:
        """The request ended without an answer of its own."""
        if self._told:
            return
        self._told = True
        self._act.refusal = "failed: the planner failed at it"
        try:
            await self._settle(500)
        except DsmtError as error:
            _log.error("an act could not be entered", act=self._act.word, reason=str(error))

    def describe(self, act: Act) -> None:
        """What the request asks, as an act."""
        parts = dict(self._scope.get("path_params", {}))
        act.word = word_of(self._scope["method"], self._path, parts)
        said = named(act.word, parts, self._said())
        act.about, act.slice = said.about, said.slice
        act.change = {**said.change, **act.change}

    async def _settle(self, status: int) -> None:
        if not self._asks_for_a_change():
            return
        if status >= 400:
            await self._audit.settle(self._act, self._act.refusal or f"refused: status {status}")
        elif self._act.entered or not self._dry():
            await self._audit.settle(self._act, DONE)

    def _asks_for_a_change(self) -> bool:
        """Whether there is such a request at all, and it is no mere question."""
        methods = getattr(self._scope.get("route"), "methods", None) or set()
        asked = f"{self._scope['method']} {self._path}"
        return self._scope["method"] in methods and asked not in ASKS_ONLY

    @property
    def _path(self) -> str:
        return str(getattr(self._scope.get("route"), "path", ""))

    def _dry(self) -> bool:
        said = self._said()
        return isinstance(said, dict) and said.get("dry_run") is True

    def _said(self) -> Any:
        # What is no JSON is a package, or was refused.
        if self._body[:1] not in (b"{", b" ", b"\n"):
            return None
        try:
            return json.loads(self._body)
        except (ValueError, RecursionError):
            return None
