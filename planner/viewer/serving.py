"""The files of the page, as a browser is to treat them: no script but ours, nothing from elsewhere.

Nobody has to be logged in to get them: they are the same for everybody and hold nothing. What they show
comes from the API, with the reader's token.
"""

from __future__ import annotations

import os
from typing import Final

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from planner.service.planner import Planner
from planner.viewer import feeding
from planner.viewer.assets import FETCHED, HERE
from planner.viewer.feed import Feed

VIEW: Final = "/view/"
_PAGE: Final = HERE / "page"
# No inline script or style, nothing from elsewhere, no frame, no form that is sent by itself; and text
# becomes markup only through the one library that makes templates, whatever a mistake of ours might do.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html"
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    # Asked for each time, and answered by "unchanged": a page of another version never runs.
    "cache-control": "no-cache",
}


class PageFiles(StaticFiles):
    """Files with the headers of the page."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """One file, or that it is unchanged."""
        answer = super().file_response(full_path, stat_result, scope, status_code)
        answer.headers.update(_HEADERS)
        return answer


def add_viewer(app: FastAPI, planner: Planner) -> Feed:
    """Serve the page and its feed beside the API of ``planner``; the feed is to be ended with it."""
    app.state.feed = feed = Feed(planner.watched, planner.ledger, planner.rounds, planner.clock)
    app.router.routes.extend(feeding.router.routes)
    app.router.routes.extend(
        (
            Route("/", _to_the_page),
            Mount(f"{VIEW}fetched", PageFiles(directory=FETCHED, check_dir=False)),
            Mount(VIEW.rstrip("/"), PageFiles(directory=_PAGE, html=True)),
        )
    )
    return feed


async def _to_the_page(_request: object) -> Response:
    return RedirectResponse(VIEW)
