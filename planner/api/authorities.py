"""The authority of the installation: public, for who knows its fingerprint sees whether it is the one."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from fastapi import Request

from broker.certificates import life_of
from dsmt_core.enrolment import CERTIFIES
from dsmt_core.errors import NotFound
from dsmt_core.names import host as host_name
from planner.api.access import ThePlanner
from planner.api.routing import router_at
from planner.tls.showing import Tls

router = router_at("/authority", "authority")
# Its key stands before it.
_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"


@router.get("")
async def shown(request: Request) -> dict[str, Any]:
    """Its certificate, until when that holds, and until when the planner's own; needs no account."""
    tls: Tls | None = request.app.state.tls
    if tls is None:
        raise NotFound("this planner speaks plain HTTP, and shows no certificate")
    own = await asyncio.to_thread(tls.path.read_bytes)
    ends = life_of(tls.pem.encode()).ends.timestamp()
    planner_ends = life_of(own[own.index(_BEGIN) :]).ends.timestamp()
    told = {"certificate": tls.pem, "fingerprint": tls.fingerprint}
    return told | {"ends": ends, "planner_ends": planner_ends}


@router.get("/challenge")
async def challenge(host: str, planner: ThePlanner) -> dict[str, Any]:
    """What a node signs when it joins; needs no account."""
    challenge = planner.nodes.entrance.challenge(host_name(host))
    return {"challenge": challenge, CERTIFIES: planner.nodes.certificates.clients is not None}
