"""The depot of a slice for dnf and yum, which show a token as the password of basic authentication."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response, StreamingResponse

from dsmt_core.names import Slice, slice_name
from planner.api import packages
from planner.api.access import ThePlanner
from planner.api.routing import router_at
from planner.authority.rights import Right, check

router = router_at("/slices/{slice}/repo", "packages")


async def _read(slice: str, request: Request, planner: ThePlanner) -> Slice:  # noqa: A002
    caller = await planner.gate.caller(_bearer(request.headers.get("authorization", "")))
    name = planner.ledger.slice(slice_name(slice)).name
    check(caller, Right.READ_SLICE, name)
    return name


_ReadRepository = Annotated[Slice, Depends(_read)]


def _bearer(authorization: str) -> str:
    """The header as the gate knows it; the account of basic authentication is not looked at."""
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "basic":
        return authorization
    try:
        shown = base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return f"Bearer {shown.partition(':')[2]}"


@router.get("/repodata/{name}", response_class=Response)
async def repodata(slice_: _ReadRepository, name: str, planner: ThePlanner) -> Response:
    """A file that describes the packages."""
    content = await planner.depots.repositories.file(slice_, name)
    kind = "application/xml" if name.endswith(".xml") else "application/octet-stream"
    # What has its digest in its name never changes; the file that names them does.
    cache = "no-cache" if name.endswith(".xml") else "private, max-age=86400"
    return Response(content, media_type=kind, headers={"Cache-Control": cache})


@router.get("/packages/{filename}", response_class=StreamingResponse)
async def package(slice_: _ReadRepository, filename: str, planner: ThePlanner) -> StreamingResponse:
    """The bytes of a package."""
    return await packages.get(slice_, filename, planner)
