"""Slices as people make and change them: members, management, agent, plan in force, named plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from dsmt_core.agents import KIND, PROGRAM, VERSION, AgentPackage, parameters_of
from dsmt_core.commands import STATUS_PERIOD_S
from dsmt_core.errors import Conflict, NotFound
from dsmt_core.names import DEFAULT_AGENT, Account, PlanName, Slice
from dsmt_core.packages import PackageRef, Version
from planner.guarded import Guarded, written
from planner.quota import UNBOUNDED, Quota
from planner.store.tables import MEMBERS, PACKAGES, PLANS, SLICES
from planner.wanted import NO_PLAN, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSlice:
    """A slice that is to be made.

    Attributes:
        owner: the slice's user.
        members: who else may act on it.
        life: see `planner.wanted.WantedSlice`.
        managed: whether it is looked after from the beginning.
        site: to which it belongs; empty for the home site.
        expires_at: until when it is wanted, seconds since the epoch; None: it stays.
    """

    slice: Slice
    owner: Account
    members: tuple[Account, ...] = ()
    agent: str = DEFAULT_AGENT
    agent_parameters: Mapping[str, str] = field(default_factory=dict)
    plan: PlanName = NO_PLAN
    plan_parameters: Mapping[str, str] = field(default_factory=dict)
    life: int = 0
    managed: bool = True
    site: str = ""
    description: str = ""
    url: str = ""
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class People:
    """Who a slice belongs to; the owner is a member."""

    owner: Account
    members: tuple[Account, ...]


def make(connection: Connection, new: NewSlice) -> None:
    """Store a slice.

    Raises:
        Conflict: there is one of this name.
    """
    if connection.execute(select(SLICES.c.slice).where(SLICES.c.slice == new.slice)).first():
        raise Conflict(
            f"the slice {new.slice} exists already", hint=f"manage it: dsmtc manage --slice {new.slice}"
        )
    connection.execute(
        insert(SLICES).values(
            slice=new.slice,
            owner=new.owner,
            managed=new.managed,
            generation=0,
            agent=new.agent,
            agent_parameters=dict(new.agent_parameters),
            plan=new.plan,
            plan_parameters=dict(new.plan_parameters),
            status_period=STATUS_PERIOD_S,
            life=new.life,
            site=new.site,
            description=new.description,
            url=new.url,
            expires_at=new.expires_at,
        )
    )
    members = dict.fromkeys((new.owner, *new.members))
    connection.execute(insert(MEMBERS), [{"slice": new.slice, "account": one} for one in members])


def remove(connection: Connection, slice_: Slice) -> None:
    """Remove a slice with all that belongs to it.

    Raises:
        NotFound: there is none.
    """
    if not connection.execute(delete(SLICES).where(SLICES.c.slice == slice_)).rowcount:
        raise no_slice(slice_)


def names(connection: Connection) -> list[Slice]:
    """Every slice, by name."""
    return [
        Slice(name)
        for name in connection.execute(select(SLICES.c.slice).order_by(SLICES.c.slice)).scalars()
    ]


def of_account(connection: Connection, account: Account) -> list[Slice]:
    """The slices that an account is a member of, by name."""
    asked = select(MEMBERS.c.slice).where(MEMBERS.c.account == account).order_by(MEMBERS.c.slice)
    return [Slice(name) for name in connection.execute(asked).scalars()]


def people(connection: Connection, slice_: Slice) -> People:
    """Who the slice belongs to.

    Raises:
        NotFound: there is no such slice.
    """
    owner = connection.execute(select(SLICES.c.owner).where(SLICES.c.slice == slice_)).scalar()
    if owner is None:
        raise no_slice(slice_)
    asked = select(MEMBERS.c.account).where(MEMBERS.c.slice == slice_).order_by(MEMBERS.c.account)
    return People(Account(owner), tuple(map(Account, connection.execute(asked).scalars())))


def set_managed(connection: Connection, slice_: Slice, *, managed: bool) -> bool:
    """Put a slice under management, or leave it alone.

    Returns:
        Whether that was a change.

    Raises:
        NotFound: there is no such slice.
    """
    known = connection.execute(select(SLICES.c.managed).where(SLICES.c.slice == slice_)).scalar()
    if known is None:
        raise no_slice(slice_)
    _set(connection, slice_, managed=managed)
    return bool(known) != managed


def set_agent(
    connection: Connection, slice_: Slice, agent: str, parameters: Mapping[str, str], *, period: float
) -> None:
    """Choose the installation agent of a slice, and the seconds between calls of the status scripts.

    Raises:
        NotFound: there is no such slice, or no package of this agent in its depot.
    """
    package = _agent_package(connection, slice_, agent, parameters)
    _set(
        connection,
        slice_,
        agent=agent,
        agent_parameters=dict(parameters),
        agent_package="" if package is None else package.text,
        status_period=period,
    )


def _agent_package(
    connection: Connection, slice_: Slice, agent: str, parameters: Mapping[str, str]
) -> AgentPackage | None:
    """The package of an agent in the slice's depot: the version that is asked for, or the newest."""
    if agent == DEFAULT_AGENT:
        return None
    asked = select(PACKAGES).where(
        PACKAGES.c.slice == slice_, PACKAGES.c.name == agent, PACKAGES.c.kind == KIND
    )
    wanted = parameters.get(VERSION, "")
    found = [row for row in connection.execute(asked) if wanted in {"", row.version}]
    if not found:
        what = f"no agent {agent[:80]!r}" + (f" at version {wanted[:40]!r}" if wanted else "")
        raise NotFound(
            f"the depot of {slice_} has {what}",
            hint=f"dsmtc depot put a tarball with a NAME-VERSION/{PROGRAM} in it, or take {DEFAULT_AGENT}",
        )
    newest = max(found, key=lambda row: (Version.parse(row.version), row.put_at))
    more = {name: value for name, value in parameters.items() if name != VERSION}
    ref = PackageRef(newest.digest, newest.size, newest.filename)
    return AgentPackage(name=agent, version=newest.version, package=ref, parameters=parameters_of(more))


def set_plan(connection: Connection, slice_: Slice, plan: PlanName, parameters: Mapping[str, str]) -> None:
    """Put a plan in force.

    Raises:
        NotFound: there is no such slice.
    """
    _set(connection, slice_, plan=plan, plan_parameters=dict(parameters))


def set_guard(connection: Connection, slice_: Slice, guarded: Guarded | None) -> None:
    """Set the guard rails, or take them away.

    Raises:
        NotFound: there is no such slice.
    """
    _set(connection, slice_, guard=written(guarded))


def set_budget(connection: Connection, slice_: Slice, text: str) -> None:
    """Choose the disruption budget, as `planner.budget` writes it; empty for the default.

    Raises:
        NotFound: there is no such slice.
    """
    _set(connection, slice_, budget=text)


def set_limits(connection: Connection, slice_: Slice, text: str) -> None:
    """Set the limits of the slice's slivers, as `dsmt_core.limits` writes them.

    Raises:
        NotFound: there is no such slice.
    """
    _set(connection, slice_, limits=text)


def set_quota(connection: Connection, slice_: Slice, quota: Quota) -> None:
    """Say what a slice may use. Of the depot nothing said is the planner's default.

    Raises:
        NotFound: there is no such slice.
    """
    placed = replace(quota, depot_bytes=UNBOUNDED)
    before = connection.execute(select(SLICES.c.depot_bytes).where(SLICES.c.slice == slice_)).scalar()
    depot_bytes = before if quota.depot_bytes == (before or UNBOUNDED) else quota.depot_bytes or None
    _set(connection, slice_, quota=placed.text, depot_bytes=depot_bytes)


def put_plan(connection: Connection, slice_: Slice, plan: Plan) -> None:
    """Define a named plan, or define it anew.

    Raises:
        NotFound: there is no such slice.
    """
    people(connection, slice_)
    connection.execute(delete(PLANS).where(PLANS.c.slice == slice_, PLANS.c.plan == plan.name))
    connection.execute(
        insert(PLANS).values(slice=slice_, plan=plan.name, base=plan.base, parameters=dict(plan.parameters))
    )


def remove_plan(connection: Connection, slice_: Slice, plan: PlanName) -> None:
    """Forget a named plan.

    Raises:
        NotFound: the slice has no plan of this name.
    """
    mine = (PLANS.c.slice == slice_, PLANS.c.plan == plan)
    if not connection.execute(delete(PLANS).where(*mine)).rowcount:
        raise NotFound(f"the slice {slice_} has no plan {plan}", hint="dsmtc plan list shows them")


def no_slice(slice_: Slice) -> NotFound:
    """The error for a slice that does not exist."""
    return NotFound(
        f"there is no slice {slice_}", hint="dsmtc slices lists them; a pi makes one with create"
    )


def _set(connection: Connection, slice_: Slice, **values: Any) -> None:
    if not connection.execute(update(SLICES).where(SLICES.c.slice == slice_).values(**values)).rowcount:
        raise no_slice(slice_)
