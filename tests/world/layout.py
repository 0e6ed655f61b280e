"""What a world begins with: its machines, its slices, and the plans that people choose from."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from dsmt_core.names import Application, Host, PlanName, Slice
from dsmt_core.packages import PackageRef
from planner.budget import Budget, budget
from planner.wanted import Plan, WantedApplication, WantedSlice
from tests.world.source_part import OURS, OWNER

APP: Final = Application("pinger")
BUDGETS: Final = tuple(map(budget, ("", "keep 1", "keep 50%", "max-unavailable 2", "keep 100%")))
# How long faults last: in a short time they meet; in the longest a node fails, comes back, and fails again.
FAULTS_S: Final = (5.0, 6.0, 8.0, 8.0, 12.0, 25.0)
# Of the worlds with several slices, in so many the others follow the first.
FOLLOWS: Final = 0.4
# The least time between two rounds: as it really is, and as long as on a busy machine.
LEAST_S: Final = (0.1, 0.5, 0.5, 1.0)
# Beyond this many gigabytes a machine has room, as the plan `roomy` asks.
ROOM_GB: Final = 5
# Plans that name nodes, and take them whether they have failed or not.
TAKE_FAILED: Final = frozenset({PlanName("most"), PlanName("few"), PlanName("south")})
# The plan that follows the first slice.
BESIDE: Final = PlanName("beside")
DISK: Final = "disk_free_gb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The machines and slices of a world.

    Attributes:
        hosts: every machine.
        late: those that join only later.
        slices: names.
        facts: whether plans ask for facts: when they change a planner moves something without being asked.
        stands: whether people take nodes out of service; what comes back may move something, too.
        churns: whether people let a limit exchange some of its members.
        follows: whether all slices but the first begin beside what the first runs, and follow it.
        plan, budget: of each slice in the beginning.
        faults_s: how long faults last; the shorter, the more of them meet.
        least_s: the least time between two rounds of the planner.
    """

    hosts: tuple[Host, ...]
    slices: tuple[Slice, ...]
    late: frozenset[Host] = frozenset()
    facts: bool = False
    stands: bool = False
    churns: bool = False
    follows: bool = False
    plan: PlanName = PlanName("some")  # noqa: RUF009 - a NewType is a plain str
    budget: Budget = BUDGETS[0]
    faults_s: float = 30.0
    least_s: float = 0.1

    @property
    def moves(self) -> bool:
        """Whether the planner may ever move something without being asked."""
        return self.facts or self.stands or self.churns or self.follows

    @property
    def most(self) -> int:
        """The most instances that people ask for."""
        return max(1, min(len(self.hosts) - 1, 40))

    @property
    def plans(self) -> Mapping[PlanName, Plan]:
        """The plans of every slice; the ones in force are among `names`."""
        most, few = ",".join(self.hosts[1:]), ",".join(self.hosts[:3])
        plans = {
            "good": ("minus", {"left": "all_nodes", "right": "failed"}),
            "some": ("limit", {"parent": "good", "count": "3"}),
            "most": ("nodes", {"list": most}),
            "fit": ("minus", {"left": "most", "right": "failed"}),
            "north": ("limit", {"parent": "fit", "count": "3"}),
            "few": ("nodes", {"list": few}),
            "south": ("limit", {"parent": "few", "count": "3"}),
            "room": ("where", {"parent": "good", "expr": f"{DISK} > {ROOM_GB}"}),
            "roomy": ("limit", {"parent": "room", "count": "3"}),
            "own": ("where", {"parent": "good", "expr": f"{OWNER} = '{OURS}'"}),
            "ours": ("limit", {"parent": "own", "count": "3"}),
            "leading": ("status", {"is": "running", "app": APP, "slice": self.slices[0]}),
            "led": ("minus", {"left": "leading", "right": "failed"}),
            BESIDE: ("limit", {"parent": "led", "count": "3"}),
        }
        return {PlanName(name): Plan(PlanName(name), base, given) for name, (base, given) in plans.items()}

    @property
    def names(self) -> tuple[PlanName, ...]:
        """The plans that may be put in force."""
        names = ("north", "some", "south") + (("roomy", "ours") if self.facts else ())
        return tuple(map(PlanName, names))


def fits(
    slice_: WantedSlice, hosts: Mapping[Host, Mapping[str, str]], led: AbstractSet[Host] = frozenset()
) -> int:
    """How many of these hosts, with what is true of them, the plan of a slice finds when all are well.

    Args:
        slice_: which has the plan.
        hosts: with what is true of them.
        led: where the first slice runs.
    """
    if slice_.plan == BESIDE:
        return len(hosts.keys() & led)
    listed = {"north": "most", "south": "few"}.get(slice_.plan)
    if listed is not None:
        named = slice_.plans[PlanName(listed)].parameters["list"].split(",")
        return len(hosts.keys() & set(named))
    return sum(does_fit(slice_.plan, facts) for facts in hosts.values())


def does_fit(plan: PlanName, facts: Mapping[str, str]) -> bool:
    """Whether a host with these facts is one for a plan that asks for facts."""
    if plan == "roomy":
        return float(facts[DISK]) > ROOM_GB
    return plan != "ours" or facts[OWNER] == OURS


def small(nodes: int = 5) -> Layout:
    """One slice on a few machines, which all are there from the beginning."""
    return Layout(hosts=_hosts(nodes), slices=(Slice("xyz1"),))


def drawn(luck: Random) -> Layout:
    """Some layout: a few machines as a rule, dozens at times, hundreds seldom."""
    size = luck.random()
    if size < 0.8:
        count = luck.randint(3, 5)
    elif size < 0.98:
        count = luck.randint(5, 8)
    else:
        count = luck.randint(9, 40) if size < 0.9998 else luck.randint(100, 300)
    hosts = _hosts(count)
    slices = tuple(Slice(f"xyz{number + 1}") for number in range(luck.choice([1, 1, 1, 1, 2, 3])))
    late = (
        frozenset(luck.sample(hosts, luck.randint(0, count // 3))) if luck.random() < 0.3 else frozenset()
    )
    facts, stands = luck.random() < 0.3, luck.random() < 0.3
    layout = Layout(
        hosts=hosts,
        slices=slices,
        late=frozenset(late),
        facts=facts,
        stands=stands,
        plan=PlanName(luck.choice(["some", "roomy", "ours", "ours"]) if facts else "some"),
        budget=luck.choice(BUDGETS) if stands else BUDGETS[0],
        churns=luck.random() < 0.1,
        faults_s=luck.choice(FAULTS_S),
        least_s=luck.choice(LEAST_S),
    )
    return replace(layout, follows=len(slices) > 1 and luck.random() < FOLLOWS)


def first_slice(layout: Layout, name: Slice) -> WantedSlice:
    """A slice as people have made it."""
    package = PackageRef("0" * 64, 10, "dsmtw_pinger.rpm")
    return WantedSlice(
        name=name,
        managed=True,
        generation=0,
        plan=BESIDE if layout.follows and name != layout.slices[0] else layout.plan,
        budget=layout.budget,
        plan_parameters={"count": str(min(3, layout.most))},
        plans=layout.plans,
        applications={
            APP: WantedApplication(name=APP, wrapper="dsmtw_pinger", version="1.0-1", packages=(package,))
        },
        status_period=5.0,
    )


def _hosts(count: int) -> tuple[Host, ...]:
    return tuple(Host(f"n{number}.s{number % 2}.org") for number in range(count))
