"""The depot of a slice. Bytes are passed on in pieces, both ways."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any, Final

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect

from dsmt_core.errors import DeadlinePassed, DsmtError, Invalid
from planner.api import models
from planner.api.access import ChangeSlice, ReadSlice, TheCaller, ThePlanner
from planner.api.limits import SILENCE_S
from planner.api.routing import router_at
from planner.authority.rights import Right, may
from planner.retention import Retention
from planner.service.depot import Upload
from planner.service.packages import written

router = router_at("/slices/{slice}/packages", "packages")
_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})\Z", re.ASCII)
_DRAIN_BYTES: Final = 64 << 20
_DRAIN_S: Final = 5.0
_DIGITS: Final = 18


@router.get("")
async def listed(slice_: ReadSlice, planner: ThePlanner) -> list[dict[str, Any]]:
    """The packages of the slice."""
    publishers = planner.ledger.slice(slice_).publishers
    return [written(one, publishers) for one in await planner.packages.listed(slice_)]


_BYTES: Final = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@router.put("/{filename}", openapi_extra={"requestBody": {"required": True, "content": _BYTES}})
async def put(slice_: ChangeSlice, filename: str, request: Request, planner: ThePlanner) -> dict[str, Any]:
    """Store a package; a wrapper adds its application when that is new."""
    begin, size = _extent(request)
    digest = request.headers.get("x-content-sha256", "").lower()
    upload = Upload(_timely(request), size, digest, begin)
    try:
        stored = await planner.packages.put(slice_, filename, upload)
    except DsmtError:
        await _drain(upload)
        raise
    effect, publishers = stored.effect, planner.ledger.slice(slice_).publishers
    shown = written(stored.package, publishers)
    return shown | {
        "application_added": bool(effect.added),
        "used_now": effect.used and not effect.missing,
        "waits_for": effect.missing,
        "lacks_signature": publishers is not None
        and not any(one["publisher"] for one in shown["signatures"]),
    }


@router.get("/{filename}", response_class=StreamingResponse, responses={200: {"content": _BYTES}})
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


@router.get("/{filename}/about")
async def about(slice_: ReadSlice, filename: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """One package: what it is, who put it (``put_by``), what uses it, and where."""
    found = await planner.packages.known(slice_, filename)
    return written(found.package, planner.ledger.slice(slice_).publishers) | {
        "put_by": found.by,
        "uses": list(found.uses),
        "hosts": list(found.hosts),
        "slices": [one for one in found.alike if may(caller, Right.READ_SLICE, one)],
    }


@router.delete("/{filename}")
async def delete(slice_: ChangeSlice, filename: str, planner: ThePlanner) -> dict[str, Any]:
    """Remove a package that is not in use."""
    removed = await planner.packages.remove(slice_, filename)
    return written(removed) | {"deleted": True}


@router.post("/prune")
async def prune(
    slice_: ChangeSlice, planner: ThePlanner, body: models.Prune | None = None
) -> dict[str, Any]:
    """Remove what the slice does not need any more."""
    asked = body or models.Prune()
    retention = Retention.of(asked.keep, asked.older_than_s)
    return await planner.depots.pruning.prune(slice_, retention, dry_run=asked.dry_run)


async def _timely(request: Request) -> AsyncIterator[bytes]:
    """The body in pieces.

    Raises:
        DeadlinePassed: nothing came for too long, or the sender went away.
    """
    pieces = request.stream()
    while True:
        try:
            async with asyncio.timeout(SILENCE_S):
                piece = await anext(pieces, None)
        except (TimeoutError, ClientDisconnect):
            raise DeadlinePassed("the upload stopped before its end", hint="send it again") from None
        if piece is None:
            return
        yield piece


def _extent(request: Request) -> tuple[int, int | None]:
    """Where the bytes begin, and how many the whole has.

    Raises:
        Invalid: the range is not one to the end.
    """
    part = request.headers.get("content-range", "")
    if not part:
        return 0, _size(request)
    said = _RANGE.match(part)
    if not said or not int(said[1]) <= int(said[2]) < int(said[3]) == int(said[2]) + 1:
        raise Invalid("the header Content-Range is not legal", hint="bytes FIRST-LAST/SIZE, to the end")
    return int(said[1]), int(said[3])


def _size(request: Request) -> int | None:
    announced = request.headers.get("content-length", "")
    return int(announced) if announced.isdecimal() and len(announced) < _DIGITS else None


async def _drain(upload: Upload) -> None:
    """Read on for a while: whoever is still sending would see a broken pipe instead of the refusal."""
    left = _DRAIN_BYTES
    with suppress(TimeoutError, DsmtError):
        async with asyncio.timeout(_DRAIN_S):
            async for piece in upload.content:
                left -= len(piece)
                if left < 0:
                    return
