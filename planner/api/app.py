"""The application: routers, limits, and one form for every error: ``{code, message, hint}``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from broker.metering import Metered
from dsmt_core.errors import DsmtError, Invalid, NotFound
from planner.api import (
    accounts,
    agreements,
    applications,
    audit,
    authorities,
    checkups,
    configurations,
    credentials,
    depots,
    events,
    facts,
    guards,
    looking_in,
    members,
    nodes,
    packages,
    past,
    plans,
    publishers,
    publishing,
    quotas,
    repositories,
    rollouts,
    secrets,
    services,
    sessions,
    sites,
    slices,
    sliver_limits,
    standings,
    watches,
)
from planner.api.audited import Audited
from planner.api.limits import BodyLimit
from planner.api.packed import Packed
from planner.api.refusals import answer, refused
from planner.api.strict import Strict
from planner.authority.rights import Lacking
from planner.metrics import PlannerMetrics
from planner.service.planner import Planner
from planner.tls.showing import Tls

ROUTERS: Final = (
    sessions.router,
    accounts.router,
    sites.router,
    slices.router,
    slices.one,
    members.router,
    plans.router,
    plans.functions,
    agreements.router,
    guards.router,
    sliver_limits.router,
    packages.router,
    publishers.router,
    publishers.signatures,
    depots.router,
    quotas.router,
    repositories.router,
    configurations.router,
    secrets.router,
    watches.router,
    looking_in.router,
    looking_in.pings,
    applications.router,
    standings.router,
    standings.budget,
    secrets.handing,
    nodes.router,
    facts.router,
    events.router,
    past.router,
    publishing.router,
    rollouts.router,
    services.router,
    audit.router,
    authorities.router,
    checkups.router,
    credentials.entrance,
    credentials.keys,
    credentials.tokens,
)
_log = structlog.get_logger(__name__)


def create_app(planner: Planner, tls: Tls | None = None, names: Sequence[str] = ()) -> FastAPI:
    """The API of ``planner``, which is started and ended by somebody else.

    Args:
        planner: whose.
        tls: of whom its certificate is, where it shows one.
        names: by which requests may name it; none: by any.
    """
    app = described()
    app.state.planner = planner
    app.state.tls = tls
    app.add_middleware(Audited, audit=planner.audit)
    app.add_middleware(BodyLimit)
    app.add_middleware(
        Metered,
        routes=app.routes,
        reader=planner.config.metrics,
        about=[PlannerMetrics(planner)],
        program="dsmt-planner",
    )
    app.add_middleware(Packed)
    app.add_middleware(Strict, names=names)
    app.add_exception_handler(DsmtError, _ours)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(Exception, _unexpected)
    return app


def described() -> FastAPI:
    """The API without a planner behind it: what can be asked, and its OpenAPI."""
    app = FastAPI(
        title="DSMT planner",
        version=version("dsmt"),
        # A page that shows it would load scripts from elsewhere, where people type their tokens in.
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    return app


async def _ours(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Lacking):
        # Whoever logged in may know whom to ask.
        error.hint += await request.app.state.planner.sites.who_may(error)
    return refused(error if isinstance(error, DsmtError) else DsmtError(str(error)))


async def _malformed(_request: Request, error: Exception) -> JSONResponse:
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    place = ".".join(str(part) for part in first.get("loc", ()) if part != "body")
    said = str(first.get("msg", "it cannot be read")).removeprefix("Value error, ")
    return refused(Invalid(f"the request is not legal: {place or 'body'}: {said}"[:500]))


async def _unknown(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status in {404, 405}:
        what = f"{request.method} {request.url.path[:200]} is not part of the API"
        refusal = answer(NotFound(what, hint="GET /v1/openapi.json lists what is"))
        # What is there, but not for this method, keeps the status that tells a proxy so.
        refusal.status_code = status
        if status == 405:
            refusal.headers["Allow"] = ", ".join(sorted(_allowed(request)))
        return refusal
    return answer(Invalid(f"the request is not legal: {getattr(error, 'detail', error)}"[:500]))


def _allowed(request: Request) -> set[str]:
    """The methods for a path: each is a route of its own, and the framework names those of the first."""
    routes, asked = request.app.router.routes, {**request.scope, "method": "*"}
    paths = [one.path for one in routes if one.matches(asked)[0] is not Match.NONE]
    # Of several forms the plainest is meant: packages/prune rather than packages/{filename}.
    path = min(paths, key=lambda one: str(one).count("{"), default="")
    return set().union(*(one.methods or () for one in routes if getattr(one, "path", None) == path))


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _log.error("a request failed", method=request.method, path=request.url.path, exc_info=error)
    return answer(DsmtError("the planner failed at this request", hint="its log says more"))
