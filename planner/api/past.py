"""What was: the fleet at a moment, what changed since, how applications stood, as page and as CSV."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from dsmt_core.names import Application, Slice, slice_name
from dsmt_core.names import application as application_name
from dsmt_core.names import host as host_name
from planner.api.access import TheCaller, ThePlanner
from planner.api.at_length import at_length
from planner.api.routing import router_at
from planner.authority.rights import Caller, Right, check, may
from planner.past import Group
from planner.service.planner import Planner
from planner.service.was import POINTS_MOST, Time, Was

router: APIRouter = router_at("/past", "past")

_COLUMNS: Final = ("name", "share", "wanted_s", "running_s", "unknown_s", "outages", "longest_s")
Moment = Annotated[float | None, Query(ge=0, le=1e11, allow_inf_nan=False, description="s since 1970")]


def _was(planner: ThePlanner) -> Was:
    return Was(planner.database, planner.fleet, planner.clock)


def _time(was: TheWas, since: Moment = None, until: Moment = None) -> Time:
    return was.time(since, until)


def _slices(caller: TheCaller, planner: ThePlanner, slice: str = "") -> list[Slice] | None:  # noqa: A002
    """Which slices are told of: the one that is named, or all that the caller may look into."""
    check(caller, Right.LIST_NODES)
    if slice:
        name = planner.ledger.slice(slice_name(slice)).name
        check(caller, Right.READ_SLICE, name)
        return [name]
    return _readable(caller, planner)


def _readable(caller: Caller, planner: Planner) -> list[Slice] | None:
    """None: all, also those that are no more."""
    names = [*planner.ledger.wanted.slices]
    readable = [name for name in names if may(caller, Right.READ_SLICE, name)]
    return None if may(caller, Right.READ_SLICE) else readable


def _instance(slice: str, application: str) -> tuple[Slice, Application]:  # noqa: A002
    return slice_name(slice), application_name(application)


TheInstance = Annotated[tuple[Slice, Application], Depends(_instance)]
TheWas = Annotated[Was, Depends(_was)]
TheTime = Annotated[Time, Depends(_time)]
TheSlices = Annotated[list[Slice] | None, Depends(_slices)]


@router.get("/fleet", response_model=dict[str, Any])
async def fleet(was: TheWas, slices: TheSlices, at: Moment = None) -> Response:
    """Every node, layer and wish as it was at a moment; `planner.past.passages` says what the parts are."""
    return await at_length(await was.fleet(was.moment(at), slices))


@router.get("/changes", response_model=dict[str, Any])
async def changes(was: TheWas, slices: TheSlices, time: TheTime, host: str = "") -> Response:
    """What passed from one state to another, and why, in order; of one host, where one is named."""
    return await at_length(await was.changes(time, slices, host_name(host) if host else None))


@router.get("/series", response_model=dict[str, Any])
async def series(
    was: TheWas,
    slices: TheSlices,
    time: TheTime,
    points: Annotated[int, Query(ge=2, le=POINTS_MOST)] = 200,
    application: str = "",
) -> Response:
    """How many instances ran, had failed or waited, at equal distances."""
    return await at_length(await was.series(time, points, slices, application))


@router.get("/availability", response_model=dict[str, Any])
async def availability(
    was: TheWas, slices: TheSlices, time: TheTime, by: Group = Group.APPLICATION, application: str = ""
) -> Response:
    """Of the time in which instances were wanted the share in which they ran; the worst first."""
    return await at_length(await was.availability(time, by, slices, application))


@router.get("/availability.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
async def availability_csv(
    was: TheWas, slices: TheSlices, time: TheTime, by: Group = Group.APPLICATION, application: str = ""
) -> Response:
    """The same for a spreadsheet."""
    told = await was.availability(time, by, slices, application)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows([["" if row[one] is None else row[one] for one in _COLUMNS] for row in told["rows"]])
    saved = {"content-disposition": 'attachment; filename="availability.csv"'}
    return Response(text.getvalue(), media_type="text/csv", headers=saved)


@router.get("/course", response_model=dict[str, Any])
async def course(
    was: TheWas, time: TheTime, caller: TheCaller, planner: ThePlanner, about: TheInstance
) -> Response:
    """Host by host, through which states an application of a slice went, and what it stands on."""
    slice_, name = about
    check(caller, Right.READ_SLICE, planner.ledger.slice(slice_).name)
    return await at_length(await was.course(time, slice_, name))
