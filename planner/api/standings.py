"""Standings of nodes, changed by an admin; and the disruption budgets of slices."""

from __future__ import annotations

from typing import Any

from dsmt_core.errors import Invalid, NotFound
from dsmt_core.names import Host
from planner.api import models
from planner.api.access import ChangeSlice, ReadSlice, TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.authority.rights import Right, check
from planner.budget import budget as read_budget
from planner.moments import moment
from planner.service.planner import Planner
from planner.standing import NEVER, Mark, Verb, Window, Wish

router = router_at("/standings", "nodes")
budget = router_at("/slices/{slice}/budget", "slices")


@router.get("")
async def listed(caller: TheCaller, planner: ThePlanner) -> list[dict[str, Any]]:
    """Every node of which people want something, and how far that is."""
    check(caller, Right.LIST_NODES)
    hosts = sorted(planner.ledger.wanted.standings)
    return [{"host": host, "standing": planner.standings.shown(host)} for host in hosts]


@router.post("/{verb}")
async def say(
    verb: Verb, body: models.StandingWish, caller: TheCaller, planner: ThePlanner
) -> list[dict[str, Any]]:
    """Take nodes out of service, or give them back: all that are named, or none."""
    if not caller.sites:
        check(caller, Right.MANAGE_NODES)
    hosts = _meant(body, planner)
    await planner.sites.check_nodes(caller, hosts)
    mark = Mark(by=caller.account, since=planner.clock(), reason=body.reason)
    wish = Wish(
        verb=verb,
        mark=mark,
        at_once=body.at_once,
        deadline_s=NEVER if body.deadline_s is None else body.deadline_s,
        force=body.force,
        window=_window(body.window, mark) if body.window else None,
    )
    if body.dry_run:
        return planner.standings.foresee(hosts, wish)
    return await planner.standings.say(hosts, wish)


@budget.get("")
async def shown(slice_: ReadSlice, planner: ThePlanner) -> dict[str, Any]:
    """The disruption budget of a slice, and what it allows now."""
    return planner.bounds.budgets.shown(slice_)


@budget.put("")
async def put(slice_: ChangeSlice, body: models.BudgetChoice, planner: ThePlanner) -> dict[str, Any]:
    """Choose the disruption budget of a slice; an empty text is the default."""
    return await planner.bounds.budgets.put(slice_, read_budget(body.budget))


@budget.post("/preview")
async def preview(slice_: ReadSlice, body: models.BudgetChoice, planner: ThePlanner) -> dict[str, Any]:
    """What another disruption budget would allow now; changes nothing."""
    return planner.bounds.budgets.shown(slice_, read_budget(body.budget))


def _meant(body: models.StandingWish, planner: Planner) -> list[Host]:
    """The nodes that are meant, by name.

    Raises:
        Invalid: none is named, or some are named in both ways.
        NotFound: one is not there, or of none the condition is true.
    """
    if bool(body.hosts) == bool(body.where):
        raise Invalid("no node is named", hint="name nodes, or say which with a condition, and not both")
    if body.where:
        found = planner.nodes.satisfying(body.where)
        if not found:
            raise NotFound("of no node this is true", hint="dsmtc nodes --where tells")
        return found
    return sorted({planner.nodes.known(text) for text in body.hosts})


def _window(body: models.WindowTime, mark: Mark) -> Window:
    begins = moment(body.begins, "the begin")
    ends = moment(body.ends, "the end") if body.ends else begins + (body.lasts_s or 0.0)
    return Window(
        by=mark.by,
        since=mark.since,
        reason=mark.reason,
        begins=begins,
        ends=ends,
        every=body.every_s,
        lead=body.lead_s,
    )
