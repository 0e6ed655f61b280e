"""How errors leave the depot and its mirrors: ``{"code", "message", "hint"}``, with their status."""

from __future__ import annotations

from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from dsmt_core.errors import DsmtError, NotFound

_DISCONNECTED: Final = 499

_log = structlog.get_logger("depot")


async def _of_ours(_request: Request, error: Exception) -> Response:
    said = error if isinstance(error, DsmtError) else DsmtError(str(error))
    return _answer(said, said.http_status)


async def _of_http(request: Request, error: Exception) -> Response:
    said = NotFound(f"the depot has no {request.method} {request.url.path}")
    return _answer(said, error.status_code if isinstance(error, HTTPException) else said.http_status)


async def _of_system(request: Request, error: Exception) -> Response:
    _log.error("failed", path=request.url.path, reason=str(error))
    said = DsmtError("the depot could not do it", hint="see the depot's log")
    return _answer(said, said.http_status)


async def _gone(_request: Request, _error: Exception) -> Response:
    # Nobody reads this; the status is for the log.
    return Response(status_code=_DISCONNECTED)


def _answer(error: DsmtError, status: int) -> JSONResponse:
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    record = {"code": error.code, "message": error.message, "hint": error.hint}
    return JSONResponse(record, status_code=status, headers=headers)


ANSWERS: Final = {
    DsmtError: _of_ours,
    HTTPException: _of_http,
    ClientDisconnect: _gone,
    OSError: _of_system,
}
