"""What people do to a world while it lasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dsmt_core.commands import Verb
from dsmt_core.errors import DsmtError
from dsmt_core.names import PlanName
from dsmt_core.packages import PackageRef
from dsmt_core.watch import Watch
from planner.fleet import NodeState
from planner.turns import turn, watched
from planner.wanted import Plan, WantedSlice
from tests.world import rollout_part, standing_part
from tests.world.layout import APP, BUDGETS
from tests.world.simulation import NOBODY, Kind

if TYPE_CHECKING:
    from tests.world.world import World

Deed = Callable[["World"], None]
WATCHES: Final = (
    Watch(),
    Watch(failures=2, every_s=1.0),
    Watch(successes=2, every_s=1.0),
    Watch(check="http://127.0.0.1/", every_s=1.0),
)


def count(world: World) -> None:
    """Another number of instances."""
    number = str(world.simulation.luck.randint(1, world.layout.most))
    _change(
        world, lambda slice_: replace(slice_, plan_parameters={**slice_.plan_parameters, "count": number})
    )


def other_plan(world: World) -> None:
    """Another plan."""
    plan = world.simulation.luck.choice(world.layout.names)
    _change(world, lambda slice_: replace(slice_, plan=plan))


def update(world: World) -> None:
    """Another version, which need not be a newer one."""
    digit = world.simulation.luck.randrange(10)
    _change(world, lambda slice_: updated(slice_, str(digit)))


def updated(slice_: WantedSlice, digit: str) -> WantedSlice:
    """The slice with another version of its application."""
    packages = (PackageRef(digit * 64, 10, "dsmtw_pinger.rpm"),)
    return turn(slice_, APP, Verb.UPDATE, version=(f"1.{digit}-1", packages))


def verb(world: World) -> None:
    """Start, stop or restart everywhere."""
    said = world.simulation.luck.choice([Verb.START, Verb.STOP, Verb.RESTART])
    _change(world, lambda slice_: turn(slice_, APP, said))


def request(world: World) -> None:
    """A command for one host, published as an event: it is lost, doubled and late like any other."""
    slice_ = world.any_slice()
    hosts = sorted({placement.host for placement in slice_.placements})
    if not hosts:
        return
    luck = world.simulation.luck
    host, said = luck.choice(hosts), luck.choice([Verb.START, Verb.STOP, Verb.RESTART])

    def arrive() -> None:
        _change(world, lambda now: turn(now, APP, said, hosts=(host,)), of=slice_)

    world.simulation.from_host(NOBODY, Kind.REQUEST, arrive)


def forget(world: World) -> None:
    """A node that does not answer is forgotten; at times it never comes back."""
    planner = world.planner
    gone = [host for host in planner.store.nodes if planner.fleet.state(host) is not NodeState.ALIVE]
    if gone and planner.answers and len(world.living()) > 3:
        host = world.simulation.luck.choice(sorted(gone))
        if world.simulation.chance(0.5):
            world.nodes[host].fail()
            world.destroyed.add(host)
        planner.forget(host)


def roll_out(world: World) -> None:
    """Another version, in waves."""
    _change(world, rollout_part.start(world))


def configure(world: World) -> None:
    """Another configuration, in waves."""
    _change(world, rollout_part.configure(world))


def watch(world: World) -> None:
    """It is checked in another way, which restarts nothing."""
    chosen = world.simulation.luck.choice(WATCHES)
    _change(world, lambda slice_: watched(slice_, APP, chosen))


def turn_rollout(world: World) -> None:
    """Pause, resume, promote or abort."""
    _change(world, rollout_part.turn(world))


def agree(world: World) -> None:
    """To what is held back until they do."""
    world.planner.agree(world.any_slice().name)


def keep(world: World) -> None:
    """Another disruption budget."""
    chosen = world.simulation.luck.choice(BUDGETS)
    _change(world, lambda slice_: replace(slice_, budget=chosen))


def redefine(world: World) -> None:
    """A plan is another one from now on: it lists other nodes."""
    luck, hosts = world.simulation.luck, world.layout.hosts
    name = PlanName(luck.choice(["most", "few"]))
    listed = ",".join(luck.sample(hosts, luck.randint(1, len(hosts))))
    plan = Plan(name, "nodes", {"list": listed})
    _change(world, lambda slice_: replace(slice_, plans={**slice_.plans, name: plan}))


def churn(world: World) -> None:
    """A limit may exchange some of its members for better nodes, or none."""
    share = world.simulation.luck.choice(["0", "1", "50%"])
    _change(
        world,
        lambda slice_: replace(slice_, plan_parameters={**slice_.plan_parameters, "churn": share}),
    )


def stand(world: World) -> None:
    """Nodes are taken out of service, or given back."""
    if world.planner.answers:
        standing_part.stand(world)


def calm_down(world: World) -> None:
    """Everything is in service; no budget holds roll-outs up for ever, and nothing is exchanged."""
    standing_part.give_back(world)
    for slice_ in world.planner.store.wanted.slices.values():
        given = {name: text for name, text in slice_.plan_parameters.items() if name != "churn"}
        calm = replace(slice_, budget=BUDGETS[0], plan_parameters=given)
        if calm != slice_:
            world.planner.change(calm)


DEEDS: Final[tuple[Deed, ...]] = (
    count,
    count,
    other_plan,
    other_plan,
    update,
    verb,
    verb,
    request,
    forget,
    roll_out,
    roll_out,
    configure,
    configure,
    watch,
    turn_rollout,
    agree,
    keep,
    redefine,
)
# Only where limits exchange.
CHURNING: Final[tuple[Deed, ...]] = (churn,) * 4


def _change(
    world: World, change: Callable[[WantedSlice], WantedSlice], of: WantedSlice | None = None
) -> None:
    if not world.planner.answers:
        return
    slice_ = world.any_slice() if of is None else world.planner.store.wanted.slices[of.name]
    try:
        changed = change(slice_)
    except DsmtError as error:
        world.simulation.note("people are refused:", error)
        return
    if changed != slice_:
        world.simulation.note("people:", slice_.name, changed.plan, changed.plan_parameters)
        world.planner.change(changed)
