"""Who asks, for every request; and what each may ask, by the table of `planner.authority.rights`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from dsmt_core.names import Slice, slice_name
from planner.api.lasting import Asker
from planner.audit.act import current
from planner.authority.rights import Caller, Right, check
from planner.service.planner import Planner


def the_planner(request: Request) -> Planner:
    """The planner behind this application."""
    planner: Planner = request.app.state.planner
    return planner


ThePlanner = Annotated[Planner, Depends(the_planner)]
# Only so that the OpenAPI says it: the gate reads the header itself, and words the refusals.
_Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(HTTPBearer(auto_error=False))]


def origin_of(request: Request) -> str:
    """The address that the request came from."""
    return request.client.host if request.client else ""


async def the_caller(request: Request, planner: ThePlanner, _shown: _Bearer) -> Caller:
    """Who sends the request.

    Raises:
        Unauthenticated: no valid token.
    """
    caller = await planner.gate.caller(request.headers.get("authorization", ""))
    act = current()
    if act is not None:
        act.by(caller.account, caller.role)
        if caller.program:
            act.note({"with": f"the token {caller.program}"})
    return caller


def asker_of(request: Request, planner: Planner, caller: Caller, holds: Callable[[Caller], None]) -> Asker:
    """Who asks for an answer that lasts; ``holds`` raises `Denied` when a caller may not have it."""
    authorization = request.headers.get("authorization", "")
    return Asker(caller, lambda: planner.gate.caller(authorization), holds)


TheCaller = Annotated[Caller, Depends(the_caller)]


async def _read_slice(
    slice: str,  # noqa: A002 - the name of the path's parameter
    caller: TheCaller,
    planner: ThePlanner,
) -> Slice:
    return _checked(slice, caller, planner, Right.READ_SLICE)


async def _change_slice(slice: str, caller: TheCaller, planner: ThePlanner) -> Slice:  # noqa: A002
    return _checked(slice, caller, planner, Right.CHANGE_SLICE)


async def _guard_slice(slice: str, caller: TheCaller, planner: ThePlanner) -> Slice:  # noqa: A002
    return _checked(slice, caller, planner, Right.GUARD_SLICE)


def _checked(text: str, caller: Caller, planner: Planner, right: Right) -> Slice:
    # That a slice exists is no secret (everybody may list the nodes, and what they hold), so a typing
    # error is told as one, instead of as a lack of rights.
    name = planner.ledger.slice(slice_name(text)).name
    check(caller, right, name)
    return name


# The slice that the path names, when the caller may look into it, change it, or guard it.
ReadSlice = Annotated[Slice, Depends(_read_slice)]
ChangeSlice = Annotated[Slice, Depends(_change_slice)]
GuardSlice = Annotated[Slice, Depends(_guard_slice)]
