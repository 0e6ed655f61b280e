"""Who asks, for every request; and what each may ask, by the table of `planner.authority.rights`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from dsmt_core.names import Slice, slice_name
from planner.authority.rights import Caller, Right, check
from planner.service.planner import Planner


def the_planner(request: Request) -> Planner:
    """The planner behind this application."""
    planner: Planner = request.app.state.planner
    return planner


ThePlanner = Annotated[Planner, Depends(the_planner)]


async def the_caller(request: Request, planner: ThePlanner) -> Caller:
    """Who sends the request.

    Raises:
        Unauthenticated: no valid token.
    """
    return await planner.gate.caller(request.headers.get("authorization", ""))


TheCaller = Annotated[Caller, Depends(the_caller)]


def _read_slice(slice: str, caller: TheCaller) -> Slice:  # noqa: A002 - the name of the path's parameter
    name = slice_name(slice)
    check(caller, Right.READ_SLICE, name)
    return name


def _change_slice(slice: str, caller: TheCaller) -> Slice:  # noqa: A002
    name = slice_name(slice)
    check(caller, Right.CHANGE_SLICE, name)
    return name


# The slice that the path names, when the caller may look into it, or change it.
ReadSlice = Annotated[Slice, Depends(_read_slice)]
ChangeSlice = Annotated[Slice, Depends(_change_slice)]
