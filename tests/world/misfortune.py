"""What befalls a world while its faults last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from dsmt_core.names import Host
from tests.world.layout import DISK
from tests.world.simulation import Kind, Weather
from tests.world.source_part import OURS

if TYPE_CHECKING:
    from random import Random

    from tests.world.node_part import NodePart
    from tests.world.world import World

Misfortune = Callable[["World"], None]

# A clock on a wall may be set wrong by hours.
_HOURS_S: Final = 4 * 3600.0


def weather(luck: Random) -> Weather:
    """How bad the network is: good, or bad; at times one kind of message hardly comes through at all."""
    worse = {
        kind: luck.choice([0.7, 1.0]) for kind in luck.sample(list(Kind), luck.choice([0, 0, 0, 1, 2]))
    }
    return Weather(loss=luck.choice([0.0, 0.1, 0.3]), doubling=luck.choice([0.0, 0.2]), worse=worse)


def planner_crash(world: World) -> None:
    """The planner dies."""
    world.planner.crash()


def power_failure(world: World) -> None:
    """One machine."""
    node = _any_node(world)
    if node.powered:
        node.fail()
        world.planner.hint(node.host)
        world.simulation.after(world.simulation.luck.uniform(0.5, 20.0), lambda: recover(world, node))


def cut(world: World) -> None:
    """One machine is cut off, in both directions or in one; or every machine of a site."""
    simulation, luck = world.simulation, world.simulation.luck
    host = _any_node(world).host
    hosts = [host]
    if luck.random() < 0.2:
        site = host.partition(".")[2]
        hosts = [other for other in world.layout.hosts if other.endswith(site)]
    way = luck.choice([simulation.cut, simulation.cut, simulation.mute, simulation.deaf])
    simulation.note("cut off:", *hosts)
    way.update(hosts)
    simulation.version += 1
    for one in hosts:
        world.planner.hint(one)
    simulation.after(luck.uniform(0.5, 20.0), lambda: heal(world, way, hosts))


def heal(world: World, way: set[Host], hosts: list[Host]) -> None:
    """The network is whole again; who was cut off connects anew."""
    world.simulation.note("connected again:", *hosts)
    way.difference_update(hosts)
    world.simulation.version += 1
    for host in hosts:
        world.nodes[host].connected()


def flap(world: World) -> None:
    """One machine comes and goes."""
    simulation, luck = world.simulation, world.simulation.luck
    host = _any_node(world).host
    at = 0.0
    for _ in range(luck.randint(2, 4)):
        simulation.after(at, lambda: _set_cut(world, host))
        at += luck.uniform(1.0, 6.0)
        simulation.after(at, lambda: heal(world, simulation.cut, [host]))
        at += luck.uniform(0.5, 4.0)


def _set_cut(world: World, host: Host) -> None:
    if world.simulation.faulty:
        world.simulation.cut.add(host)
        world.simulation.version += 1
        world.planner.hint(host)


def hint(world: World) -> None:
    """The broker says that a node's connection has ended, and the node has made another one already."""
    world.planner.hint(_any_node(world).host)


def planner_stalls(world: World) -> None:
    """The planner's process stands still for a while."""
    if world.planner.alive:
        world.planner.stall.begin(world.simulation.luck.uniform(0.5, 8.0))


def manager_crash(world: World) -> None:
    """Only a container manager."""
    node = _any_node(world)
    node.crash_manager()
    world.planner.hint(node.host)


def agent_crash(world: World) -> None:
    """Only an agent."""
    _any_node(world).crash_agent(world.any_slice().name)


def torn_state(world: World) -> None:
    """The state file of an agent."""
    _any_node(world).tear(world.any_slice().name)


def application_death(world: World) -> None:
    """Only an application."""
    _any_node(world).kill_application()


def broker_crash(world: World) -> None:
    """The broker ends, and comes back empty."""
    simulation = world.simulation
    if not simulation.broker_up:
        return
    simulation.note("the broker ends")
    simulation.lose_broker()
    world.planner.lose_queues()
    for node in world.nodes.values():
        node.lose_queues()
    simulation.after(simulation.luck.uniform(0.2, 8.0), lambda: return_broker(world))


def return_broker(world: World) -> None:
    """It is there again, and everybody connects anew."""
    if world.simulation.broker_up:
        return
    world.simulation.note("the broker is back")
    world.simulation.return_broker()
    for node in world.nodes.values():
        world.simulation.after(world.simulation.luck.uniform(0.0, 2.0), node.connected)


def host_breaks(world: World) -> None:
    """For a while nothing that is started on a host comes to run."""
    host = _any_node(world).host
    world.truth.broken.add(host)
    world.simulation.after(
        world.simulation.luck.uniform(0.5, 25.0), lambda: world.truth.broken.discard(host)
    )


def clock_jump(world: World) -> None:
    """The clock on the wall of one machine."""
    _any_node(world).jump(world.simulation.luck.uniform(-_HOURS_S, _HOURS_S))


def older_disk(world: World) -> None:
    """A machine comes back with an older disk, or an empty one."""
    simulation, node = world.simulation, _any_node(world)
    if simulation.chance(0.5):
        node.copy_disk()
    simulation.after(simulation.luck.uniform(1.0, 10.0), lambda: _restore_disk(world, node))


def _restore_disk(world: World, node: NodePart) -> None:
    if world.simulation.faulty and node.powered:
        node.restore_disk()
        simulation = world.simulation
        simulation.after(simulation.luck.uniform(0.5, 10.0), lambda: recover(world, node))


def fact_changes(world: World) -> None:
    """Disks fill up, or are emptied; at times a node cannot find out."""
    luck = world.simulation.luck
    for node in _some_nodes(world):
        told = {"load1": "1"} if luck.random() < 0.3 else {DISK: luck.choice(["2", "4", "6", "50"])}
        node.facts = told
        world.excuse(node.host)
        node.tell_facts()


def owner_changes(world: World) -> None:
    """Machines change hands, or somebody makes a mistake in the inventory."""
    owner = world.simulation.luck.choice([OURS, "them"])
    for node in _some_nodes(world):
        world.planner.inventory.owners[node.host] = owner
        world.excuse(node.host)


def source_fails(world: World) -> None:
    """The inventory cannot be read for a while."""
    inventory = world.planner.inventory
    world.simulation.note("the inventory fails")
    inventory.is_up = False
    world.simulation.after(
        world.simulation.luck.uniform(1.0, 20.0), lambda: setattr(inventory, "is_up", True)
    )


MISFORTUNES: Final[tuple[Misfortune, ...]] = (
    planner_crash,
    planner_crash,
    planner_stalls,
    hint,
    power_failure,
    power_failure,
    cut,
    cut,
    flap,
    manager_crash,
    agent_crash,
    torn_state,
    application_death,
    broker_crash,
    host_breaks,
    clock_jump,
    older_disk,
)
# Only where plans ask for facts.
OF_FACTS: Final[tuple[Misfortune, ...]] = (
    fact_changes,
    fact_changes,
    owner_changes,
    source_fails,
    source_fails,
)


def _any_node(world: World) -> NodePart:
    return world.nodes[world.simulation.luck.choice(world.layout.hosts)]


def _some_nodes(world: World) -> list[NodePart]:
    """One as a rule, or several at once."""
    luck, nodes = world.simulation.luck, list(world.nodes.values())
    return luck.sample(nodes, 1 if luck.random() < 0.6 else luck.randint(2, len(nodes)))


def recover(world: World, node: NodePart) -> None:
    """A machine has power (again), unless it never will."""
    if node.host not in world.destroyed:
        node.recover()
