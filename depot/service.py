"""The depot's HTTP: an ASGI application over the store (`docs/reference/protocol.md`, section 5).

Rule of this file: it lets bytes through, in threads and in pieces; what is right or wrong is decided in
the store, in `depot.reading` and in `depot.access`. Every wait has a limit.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from broker.metering import Reader
from depot.access import Caller, Secrets, must_be_planner
from depot.answers import ANSWERS
from depot.incoming import Incoming
from depot.metrics import DepotMetrics, metered_with
from depot.nosniff import Nosniff
from depot.package import Package
from depot.repository import Repository
from depot.rpm_signature import judged
from depot.sending import Sender, answer
from depot.store import Store, digest_of
from dsmt_core.errors import DeadlinePassed, DsmtError, Invalid, Unavailable

_PIECE_BYTES: Final = 1 << 20
# Whose upload it is: the planner says the slice.
SCOPE: Final = "x-upload-scope"
_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})\Z", re.ASCII)
_DRAIN_BYTES: Final = 64 << 20
_DRAIN_S: Final = 5.0

_log = structlog.get_logger("depot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may take.

    Attributes:
        uploads: how many packages are received at once; further ones are told to come again.
        silence_s: how long an upload, or the reader of a download, may pause.
        upload_s: how long an upload may take in all.
        download_s: how long a download may take in all.
    """

    uploads: int = 8
    silence_s: float = 30.0
    upload_s: float = 1800.0
    download_s: float = 1800.0


def create_app(
    store: Store, secrets: Secrets, *, limits: Limits | None = None, reader: Reader | None = None
) -> Starlette:
    """The depot as an ASGI application.

    Args:
        store: stays open when the application ends; whoever made it closes it.
        secrets: of the planner and the nodes.
        limits: the defaults when left away.
        reader: who may read the metrics.
    """
    blobs = _Blobs(store, secrets, limits or Limits())
    routes = [
        Route("/v1/health", blobs.health, methods=["GET"]),
        Route("/v1/blobs", blobs.put, methods=["PUT"]),
        Route("/v1/blobs", blobs.listed, methods=["GET"]),
        Route("/v1/uploads/{digest}", blobs.received, methods=["GET"]),
        Route("/v1/repodata", blobs.repodata, methods=["POST"]),
        Route("/v1/signature", blobs.signature, methods=["POST"]),
        Route("/v1/blobs/{digest}", blobs.get, methods=["GET", "HEAD"]),
        Route("/v1/blobs/{digest}", blobs.delete, methods=["DELETE"]),
    ]
    metered = metered_with(DepotMetrics(store, lambda: blobs.sent), routes, reader)
    return Starlette(routes=routes, exception_handlers=ANSWERS, middleware=[Middleware(Nosniff), metered])


class _Blobs:
    """What can be asked; whoever asks is looked at first."""

    def __init__(self, store: Store, secrets: Secrets, limits: Limits) -> None:
        self._store = store
        self._secrets = secrets
        self._limits = limits
        self._uploads = _Uploads(store, limits)
        self._repository = Repository(store)
        self._sender = Sender(limits.silence_s, limits.download_s)

    @property
    def sent(self) -> int:
        """Bytes of packages that went out."""
        return self._sender.sent

    async def health(self, _request: Request) -> Response:
        told = {"used": self._store.used, "max_bytes": self._store.max_bytes, "sent": self._sender.sent}
        return JSONResponse({"status": "ok", **told})

    async def put(self, request: Request) -> Response:
        must_be_planner(self._caller(request))
        return JSONResponse((await self._uploads.receive(request)).record())

    async def listed(self, request: Request) -> Response:
        must_be_planner(self._caller(request))
        ages = await asyncio.to_thread(self._store.ages)
        return JSONResponse({"blobs": [{"digest": digest, "age": age} for digest, age in ages.items()]})

    async def received(self, request: Request) -> Response:
        must_be_planner(self._caller(request))
        asked = digest_of(request.path_params["digest"]), request.headers.get(SCOPE, "")
        return JSONResponse({"received": await asyncio.to_thread(self._store.parts.received, *asked)})

    async def repodata(self, request: Request) -> Response:
        must_be_planner(self._caller(request))
        try:
            asked = json.loads(await request.body())["packages"]
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid('it is not {"packages": […]}') from error
        return JSONResponse(await self._repository.described(asked))

    async def signature(self, request: Request) -> Response:
        must_be_planner(self._caller(request))
        try:
            asked = json.loads(await request.body())
            digest, keys = str(asked["digest"]), list(map(str, asked["keys"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid('it is not {"digest": …, "keys": […]}') from error
        path = self._store.path(digest)
        return JSONResponse({"verdict": await asyncio.to_thread(judged, path, keys)})

    async def get(self, request: Request) -> Response:
        self._caller(request)
        content = await asyncio.to_thread(self._store.open, request.path_params["digest"])
        return answer(content, request, self._sender)

    async def delete(self, request: Request) -> Response:
        must_be_planner(self._caller(request))
        digest = request.path_params["digest"]
        await asyncio.to_thread(self._store.delete, digest)
        _log.info("deleted", digest=digest)
        return JSONResponse({"deleted": digest})

    def _caller(self, request: Request) -> Caller:
        return self._secrets.caller(request.headers.get("authorization", ""))


class _Uploads:
    """Receives packages, a bounded number at once."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits
        self._running = 0

    async def receive(self, request: Request) -> Package:
        """Stream a request's body into the store."""
        try:
            package = await self._received(request)
        except DsmtError as error:
            _log.warning("refused", reason=str(error))
            # Whoever is still sending would get a broken pipe instead of the answer.
            await _drain(request)
            raise
        _log.info("received", digest=package.digest, name=package.said.name, size=package.size)
        return package

    async def _received(self, request: Request) -> Package:
        if self._running >= self._limits.uploads:
            raise Unavailable(
                f"the depot receives {self._running} packages at the moment",
                hint="try again in a few seconds",
            )
        self._running += 1
        try:
            return await self._stored(request)
        finally:
            self._running -= 1

    async def _stored(self, request: Request) -> Package:
        begin, size = _announced(request)
        digest, scope = request.headers.get("x-content-sha256", ""), request.headers.get(SCOPE, "")
        incoming = await asyncio.to_thread(Incoming, self._store, digest, scope=scope, begin=begin)
        try:
            await asyncio.to_thread(incoming.expect, size)
            async with asyncio.timeout(self._limits.upload_s):
                async for piece in _pieces(request, self._limits.silence_s):
                    await asyncio.to_thread(incoming.write, piece)
            return await asyncio.to_thread(incoming.finish)
        except TimeoutError:
            raise DeadlinePassed(
                "the upload was too slow: nothing came for too long", hint="send it again"
            ) from None
        finally:
            # In a thread: it may wait for a write that is still going on when this task is cancelled. Not
            # as a task, which the end of the loop would cancel before it has begun.
            loop = asyncio.get_running_loop()
            await asyncio.shield(loop.run_in_executor(None, incoming.drop))


async def _pieces(request: Request, silence_s: float) -> AsyncIterator[bytes]:
    """The body in pieces of about `_PIECE_BYTES`: fewer changes of thread than the network's small ones."""
    stream = request.stream()
    gathered = bytearray()
    while True:
        try:
            async with asyncio.timeout(silence_s):
                chunk = await anext(stream, None)
        except (ClientDisconnect, TimeoutError):
            # What came is worth having: the upload may be gone on with.
            yield bytes(gathered)
            raise
        if chunk is None:
            break
        gathered += chunk
        if len(gathered) >= _PIECE_BYTES:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


async def _drain(request: Request) -> None:
    left = _DRAIN_BYTES
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return
    except (TimeoutError, ClientDisconnect, RuntimeError):
        # RuntimeError: the body was read to its end already.
        return


def _announced(request: Request) -> tuple[int, int]:
    """Where the bytes begin, and how many the whole has."""
    if part := request.headers.get("content-range", ""):
        said = _RANGE.match(part)
        if not said or not int(said[1]) <= int(said[2]) < int(said[3]) == int(said[2]) + 1:
            raise Invalid("the header Content-Range is not bytes FIRST-LAST/SIZE to the end")
        return int(said[1]), int(said[3])
    return 0, _announced_size(request)


def _announced_size(request: Request) -> int:
    text = request.headers.get("content-length", "0")
    if not (text.isascii() and text.isdecimal()):
        raise Invalid("the header Content-Length is not a number")
    return int(text)
