"""The mirror's HTTP: what nodes ask of a depot, and nothing that changes one."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from broker.metering import Reader
from depot.access import Secrets
from depot.answers import ANSWERS
from depot.metrics import DepotMetrics, metered_with
from depot.mirror.mirror import Mirror
from depot.mirror.shelf import Shelf
from depot.nosniff import Nosniff
from depot.sending import Sender, answer
from depot.store import digest_of
from dsmt_core.errors import Denied


def create_mirror(  # noqa: PLR0913 - what a mirror consists of
    mirror: Mirror,
    shelf: Shelf,
    secrets: Secrets,
    *,
    url: str,
    sender: Sender | None = None,
    reader: Reader | None = None,
) -> Starlette:
    """A mirror as an ASGI application.

    Args:
        mirror: gives the packages.
        shelf: where they lie; whoever made it closes it.
        secrets: of the nodes.
        url: of the depot that is mirrored.
        sender: the defaults when left away.
        reader: who may read the metrics.
    """
    sends = sender or Sender()

    async def health(_request: Request) -> Response:
        used = await asyncio.to_thread(lambda: shelf.used)
        told = {"mirror_of": url, "used": used, "max_bytes": shelf.max_bytes, "sent": sends.sent}
        return JSONResponse({"status": "ok", **told})

    async def get(request: Request) -> Response:
        secrets.caller(request.headers.get("authorization", ""))
        content = await mirror.content(digest_of(request.path_params["digest"]))
        return answer(content, request, sends)

    async def change(_request: Request) -> Response:
        raise Denied("this is a mirror: it changes nothing", hint=f"the depot is {url}")

    routes = [
        Route("/v1/health", health, methods=["GET"]),
        Route("/v1/blobs/{digest}", get, methods=["GET", "HEAD"]),
        Route("/v1/blobs/{digest}", change, methods=["PUT", "POST", "PATCH", "DELETE"]),
        Route("/v1/blobs", change, methods=["PUT", "POST", "PATCH", "DELETE"]),
    ]
    metered = metered_with(DepotMetrics(shelf, lambda: sends.sent, lambda: mirror.fetched), routes, reader)
    return Starlette(routes=routes, exception_handlers=ANSWERS, middleware=[Middleware(Nosniff), metered])
