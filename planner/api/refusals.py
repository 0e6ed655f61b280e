"""One form for every error: ``{code, message, hint}``; and the act that goes on hears of it."""

from __future__ import annotations

from typing import Final

from fastapi.responses import JSONResponse

from dsmt_core.errors import Denied, DsmtError, Unauthenticated
from planner.audit.act import current

_OURS: Final = 500


def answer(error: DsmtError) -> JSONResponse:
    """An error as every part of DSMT writes it."""
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthenticated) else None
    content = {"code": error.code, "message": error.message, "hint": error.hint}
    content |= {"place": error.place} if error.place else {}
    return JSONResponse(content, status_code=error.http_status, headers=headers)


def refused(error: DsmtError) -> JSONResponse:
    """The same, as the end of the act that goes on."""
    act = current()
    if act is not None:
        kind = "refused" if isinstance(error, Denied) or error.http_status < _OURS else "failed"
        act.refusal = f"{kind}: {error.message}"
    return answer(error)
