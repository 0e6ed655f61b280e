"""The depot of a slice. Bytes are passed on in pieces, both ways."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask

from planner.api.access import ChangeSlice, ReadSlice, ThePlanner
from planner.service.packages import written

router = APIRouter(prefix="/slices/{slice}/packages", tags=["packages"])


@router.get("")
async def listed(slice_: ReadSlice, planner: ThePlanner) -> list[dict[str, Any]]:
    """The packages of the slice."""
    return [written(one) for one in await planner.packages.listed(slice_)]


@router.put("/{filename}")
async def put(slice_: ChangeSlice, filename: str, request: Request, planner: ThePlanner) -> dict[str, Any]:
    """Store a package; a wrapper adds its application when that is new."""
    digest = request.headers.get("x-content-sha256", "").lower()
    stored = await planner.packages.put(slice_, filename, request.stream(), digest=digest)
    effect = stored.effect
    return written(stored.package) | {
        "application_added": bool(effect.added),
        "used_now": effect.used and not effect.missing,
        "waits_for": effect.missing,
    }


@router.get("/{filename}")
async def get(slice_: ReadSlice, filename: str, planner: ThePlanner) -> StreamingResponse:
    """The bytes of a package."""
    package, opened = await planner.packages.get(slice_, filename)
    async with AsyncExitStack() as stack:
        content = await stack.enter_async_context(opened)
        # The answer is read after this function has returned; the connection is closed after that.
        closing = BackgroundTask(stack.pop_all().aclose)
    headers = {"Content-Length": str(package.size), "X-Content-SHA256": package.digest}
    return StreamingResponse(
        content, media_type="application/octet-stream", headers=headers, background=closing
    )


@router.delete("/{filename}")
async def delete(slice_: ChangeSlice, filename: str, planner: ThePlanner) -> dict[str, Any]:
    """Remove a package that is not in use."""
    removed = await planner.packages.remove(slice_, filename)
    return written(removed) | {"deleted": True}
