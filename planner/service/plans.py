"""What people do with named plans and the plan in force, and how both are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from dsmt_core.errors import NotFound
from dsmt_core.names import Host, PlanName, Slice, host, slice_name
from planner.fleet import Fleet
from planner.guarded import Guarded
from planner.outlook import world_of
from planner.plans import (
    Reason,
    Selection,
    builtin_plans,
    check_in_force,
    check_plan,
    check_removal,
    evaluate,
    unknown,
)
from planner.plans.sets import OF_SLICE
from planner.service.guards import Guards
from planner.service.means import Means
from planner.service.previews import Checked, Previews, written_preview
from planner.standing import bars_at
from planner.store import slices
from planner.store.wanted import load_slice
from planner.vouched import check_all
from planner.wanted import NO_PLAN, Plan, WantedSlice


class Plans:
    """The plans of the slices. Every method raises `NotFound` for a slice that does not exist.

    Args:
        means: where things are kept, and what time it is.
        fleet: what is seen: the hosts that plans choose from.
        previews: tells what a change would set in motion.
        guards: says what is too much.
    """

    def __init__(self, means: Means, fleet: Fleet, previews: Previews, guards: Guards) -> None:
        self._ledger = means.ledger
        self._clock = means.clock
        self._fleet = fleet
        self._previews = previews
        self._guards = guards

    def with_in_force(self, slice_: Slice, plan: PlanName, parameters: Mapping[str, str]) -> WantedSlice:
        """A slice as it would be with another plan in force.

        Raises:
            NotFound, Invalid: of `planner.plans.check_in_force`.
        """
        wanted = self._ledger.slice(slice_)
        check_in_force(plan, parameters, wanted.plans, known=self._fleet.ground)
        self._check_followed(parameters)
        return replace(wanted, plan=plan, plan_parameters=dict(parameters))

    def with_plan(self, slice_: Slice, plan: Plan) -> WantedSlice:
        """A slice as it would be with a named plan defined, or defined anew.

        Raises:
            NotFound, Invalid, Conflict: of `planner.plans.check_plan`.
        """
        wanted = self._ledger.slice(slice_)
        check_plan(plan, wanted.plans, known=self._fleet.ground)
        self._check_followed(plan.parameters)
        plans = {**wanted.plans, plan.name: plan}
        if wanted.plan != NO_PLAN:
            # The new definition may lose a parameter that setplan gave.
            check_in_force(wanted.plan, wanted.plan_parameters, plans)
        return replace(wanted, plans=plans)

    async def preview(self, changed: WantedSlice) -> dict[str, Any]:
        """What a slice that is changed so would set in motion, as the API shows it.

        Raises:
            Conflict: the guard rails do not allow the change.
        """
        found = await self._previews.looked_at(changed)
        self._guards.check_count(changed.name, found.asks)
        return written_preview(found)

    async def put_in_force(
        self, slice_: Slice, plan: PlanName, parameters: Mapping[str, str], *, index: str = ""
    ) -> dict[str, int]:
        """Put a plan in force.

        Args:
            slice_: of which slice.
            plan: which one.
            parameters: further ones.
            index: of the preview that was looked at; empty: nobody looked.

        Returns:
            How many hosts it starts, stops and moves.

        Raises:
            NotFound, Invalid: as `with_in_force`.
            Conflict: ``index`` is not that of now, or the guard rails do not allow it.
            Denied: it would bring to further hosts what no publisher of the slice has signed.
        """
        return await self._change(
            slice_,
            lambda: self.with_in_force(slice_, plan, parameters),
            lambda connection: slices.set_plan(connection, slice_, plan, parameters),
            index,
        )

    async def define(self, slice_: Slice, plan: Plan, *, index: str = "") -> dict[str, int]:
        """Define a named plan, or define it anew; the arguments and the answer are as in `put_in_force`.

        Raises:
            NotFound, Invalid: as `with_plan`.
            Conflict: as `with_plan`; ``index`` is not that of now; or the guard rails do not allow it.
        """
        return await self._change(
            slice_,
            lambda: self.with_plan(slice_, plan),
            lambda connection: slices.put_plan(connection, slice_, plan),
            index,
        )

    async def _change(
        self,
        slice_: Slice,
        changed: Callable[[], WantedSlice],
        work: Callable[[Connection], None],
        index: str,
    ) -> dict[str, int]:
        """Make a change, if its index and the guard rails hold, and say what it sets in motion."""
        checked = Checked(index)
        guarded: list[Guarded | None] = []

        def holds() -> None:
            found = self._previews.of(changed())
            checked.hold(found)
            if found.starts:
                check_all(self._ledger.slice(slice_))
            guarded.append(self._guards.check_count(slice_, found.asks))

        def made(connection: Connection) -> None:
            work(connection)
            if guarded[0] is not None:
                slices.set_guard(connection, slice_, guarded[0])

        await self._ledger.change_if(slice_, holds, made)
        return checked.motion()

    async def remove(self, slice_: Slice, plan: PlanName) -> None:
        """Delete a named plan.

        Raises:
            NotFound, Conflict: of `planner.plans.check_removal`.
        """

        def removed(connection: Connection) -> None:
            stored = _stored(connection, slice_)
            check_removal(plan, stored.plans, stored.plan)
            slices.remove_plan(connection, slice_, plan)

        await self._ledger.change(slice_, removed)

    def all(self, slice_: Slice) -> list[dict[str, Any]]:
        """The plans of a slice, its own first, then the functions that are plans too."""
        own = self._ledger.slice(slice_).plans.values()
        shown = [written_plan(one, builtin=False) for one in sorted(own, key=lambda one: one.name)]
        return shown + [written_plan(one, builtin=True) for one in builtin_plans()]

    def one(self, slice_: Slice, name: PlanName) -> dict[str, Any]:
        """One plan.

        Raises:
            NotFound: the slice has none of this name.
        """
        found = [one for one in self.all(slice_) if one["name"] == name]
        if not found:
            raise NotFound(f"the slice {slice_} has no plan {name}", hint="dsmtc plan list shows them")
        return found[0]

    def evaluate(self, slice_: Slice, plan: PlanName, parameters: Mapping[str, str]) -> dict[str, Any]:
        """What a plan would select now, with the reason for each host.

        Raises:
            NotFound, Invalid: of `planner.plans.check_in_force`.
        """
        chosen = self._selected(slice_, plan, parameters)
        return {
            "hosts": [_explained(host, reason) for host, reason in chosen.chosen()],
            "left_out": [_explained(host, reason) for host, reason in chosen.left_out()],
            "missing": chosen.missing,
            "losses": [loss._asdict() for loss in chosen.losses],
            "notes": list(chosen.notes),
        }

    def explain(
        self, slice_: Slice, plan: PlanName, parameters: Mapping[str, str], text: str
    ) -> dict[str, Any]:
        """Whether a plan would select one node now, and what decides.

        Raises:
            NotFound: the node is not known; and as `evaluate`.
            Invalid: as `evaluate`.
        """
        chosen, of = self._selected(slice_, plan, parameters), host(text)
        if of not in chosen.ground.rows:
            raise unknown("the node", of, chosen.ground.rows)
        return _explained(of, chosen.reason(of)) | {"selected": chosen.has(of)}

    def _check_followed(self, parameters: Mapping[str, str]) -> None:
        """That a slice exists, and where it is, is no secret: everybody may list the nodes.

        Raises:
            NotFound, Invalid: there is no such slice to follow.
        """
        if OF_SLICE in parameters:
            self._ledger.slice(slice_name(parameters[OF_SLICE]))

    def _selected(self, slice_: Slice, plan: PlanName, parameters: Mapping[str, str]) -> Selection:
        wanted = self._ledger.slice(slice_)
        check_in_force(plan, parameters, wanted.plans, known=self._fleet.ground)
        self._check_followed(parameters)
        bars = bars_at(self._ledger.wanted.standings, self._clock())
        return evaluate(plan, parameters, wanted.plans, world_of(wanted, self._fleet, bars))


def _explained(host: Host, reason: Reason) -> dict[str, str]:
    return {"host": host, "reason": reason.text, "plan": reason.plan, "function": reason.function}


def written_plan(plan: Plan, *, builtin: bool) -> dict[str, Any]:
    """A plan as the API shows it."""
    return {
        "name": plan.name,
        "base": plan.base,
        "parameters": dict(plan.parameters),
        "builtin": builtin,
    }


def _stored(connection: Connection, slice_: Slice) -> WantedSlice:
    found = load_slice(connection, slice_)
    if found is None:
        raise slices.no_slice(slice_)
    return found
