"""The authority of the installation: public, for who knows its fingerprint sees whether it is the one."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from dsmt_core.enrolment import CERTIFIES
from dsmt_core.errors import NotFound
from dsmt_core.names import host as host_name
from planner.api.access import ThePlanner
from planner.api.routing import router_at
from planner.tls.showing import Tls

router = router_at("/authority", "authority")


@router.get("")
async def shown(request: Request) -> dict[str, Any]:
    """Its certificate; needs no account."""
    tls: Tls | None = request.app.state.tls
    if tls is None:
        raise NotFound("this planner speaks plain HTTP, and shows no certificate")
    return {"certificate": tls.pem, "fingerprint": tls.fingerprint}


@router.get("/challenge")
async def challenge(host: str, planner: ThePlanner) -> dict[str, Any]:
    """What a node signs when it joins; needs no account."""
    challenge = planner.nodes.entrance.challenge(host_name(host))
    return {"challenge": challenge, CERTIFIES: planner.nodes.certificates.clients is not None}
