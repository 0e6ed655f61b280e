"""A number that was given away twice: equal generations of different orders are told apart by digests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.commands import Order, Verb, order_of
from dsmt_core.configuration import Configuration
from dsmt_core.events import Sender
from dsmt_core.lifecycle import State
from dsmt_core.names import Application, Host
from dsmt_core.nodes import Held
from dsmt_core.packages import PackageRef
from planner.reconcile import SentOrders, orders
from planner.turns import turn
from planner.wanted import Placement, Run, WantedSlice
from tests.unit.planner.toy import APP, SLICE, Toy, ToyNode, hosts, pinger, wanted_slice

OTHER = PackageRef("b" * 64, 11, "dsmtw_pinger-1.9-1.noarch.rpm")


def one() -> tuple[Toy, ToyNode]:
    """A slice on one node, running as ordered."""
    toy = Toy(1)
    toy.run()
    return toy, toy.nodes[hosts(1)[0]]


def held(node: ToyNode) -> Held:
    return node.applications[SLICE][APP]


def tell(toy: Toy, node: ToyNode) -> None:
    toy.fleet.fold(node.holdings(), now=toy.now)
    toy.fleet.fold(node.agent_holdings(SLICE), now=toy.now)


def changed(slice_: WantedSlice, version: str) -> WantedSlice:
    return turn(slice_, APP, Verb.UPDATE, version=(version, (OTHER,)))


def test_a_restored_planner_that_reaches_the_lost_number_by_changes_of_its_own_is_obeyed_in_the_end() -> (
    None
):
    toy, node = one()
    copy = toy.slice
    toy.change(changed(toy.slice, "1.9-1"))
    toy.run()
    lost = held(node).generation
    toy.change(changed(copy, "2.0-1"))
    toy.sent = SentOrders()
    assert toy.slice.generation == lost, "the number is given away again"
    toy.run()
    assert held(node).version == "2.0-1"
    assert held(node).generation == toy.slice.placements[0].generation == lost + 1


def test_without_digests_equal_numbers_are_believed() -> None:
    toy, node = one()
    node.applications[SLICE][APP] = replace(held(node), digest="")
    node.digests.clear()
    tell(toy, node)
    before = toy.slice
    assert toy.run().orders == ()
    assert toy.slice == before


def test_an_order_of_the_same_number_to_go_does_not_hide_that_the_application_is_wanted() -> None:
    toy, node = one()
    number = held(node).generation
    node.applications[SLICE][APP] = Held(number, "", State.TERMINATED, digest="gone")
    tell(toy, node)
    toy.run()
    assert held(node).state is State.RUNNING
    assert held(node).generation == number + 1


def test_what_nobody_wants_goes_although_it_has_the_number_of_the_order_to_go() -> None:
    toy, node = one()
    stray = Application("stray")
    number = toy.slice.generation
    node.applications[SLICE][stray] = Held(number, "1-1", State.RUNNING, digest="of a lost order")
    tell(toy, node)
    round_ = toy.round()
    assert [(order.verb, order.generation) for order in round_.orders] == [(Verb.UNINSTALL, number + 1)]
    tell(toy, node)
    toy.deliver(round_.orders)
    assert stray not in node.applications[SLICE]
    assert toy.run().changes == ()


def test_a_stray_that_follows_the_order_to_go_raises_nothing() -> None:
    toy, node = one()
    for digest in ("", orders.REMOVAL):
        stray = Held(toy.slice.generation, "1-1", State.RUNNING, digest=digest)
        node.applications[SLICE][Application("stray")] = stray
        tell(toy, node)
        assert toy.round().changes == ()


def test_a_sliver_that_follows_a_deletion_of_the_same_number_is_ordered_anew() -> None:
    toy, node = one()
    number = node.slivers[SLICE]
    node.digests[SLICE] = orders.DELETION
    tell(toy, node)
    round_ = toy.round()
    assert (round_.orders[0].verb, round_.orders[0].generation) == (Verb.CREATE, number + 1)


def test_a_deletion_with_the_number_of_a_creation_is_raised_at_once() -> None:
    toy, node = one()
    number = node.slivers[SLICE]
    toy.change(replace(toy.slice, plan=toy.slice.plan.__class__(""), hosts={}, placements=(), retired={}))
    toy.change(replace(toy.slice, retired={node.host: number}))
    round_ = toy.round()
    assert [(order.verb, order.generation) for order in round_.orders] == [(Verb.DELETE, number + 1)]


def test_a_deletion_that_is_being_carried_out_is_not_raised() -> None:
    toy, node = one()
    number = node.slivers[SLICE]
    node.digests[SLICE] = orders.DELETION
    toy.slip(replace(toy.slice, plan=toy.slice.plan.__class__(""), hosts={}, placements=()))
    toy.change(replace(toy.slice, retired={node.host: number}))
    tell(toy, node)
    assert toy.round().changes == ()


def test_another_agent_of_the_same_number_is_ordered_anew() -> None:
    toy, node = one()
    number = node.slivers[SLICE]
    toy.change(replace(toy.slice, agent="another"))
    toy.run()
    assert node.slivers[SLICE] == number + 1


def test_a_change_of_state_of_another_order_takes_the_digest_with_it() -> None:
    toy, node = one()
    told = {"managed": APP, "version": "1.8-1", "reason": ""}
    number = held(node).generation

    def digest() -> str:
        sliver = toy.fleet.sliver(SLICE, node.host)
        assert sliver is not None
        return sliver.applications[APP].digest

    def tell_state(generation: int) -> None:
        component = "org.dsmt.component.deployment-agent"
        pairs = {**told, "generation": str(generation)}
        assert toy.fleet.fold(node.status(SLICE, component, State.RUNNING, **pairs), now=toy.now) == ""

    tell_state(number)
    assert digest() == held(node).digest != ""
    tell_state(number + 1)
    assert digest() == ""


# -- what is in a digest ----------------------------------------------------------------------------------


def placement(**other: object) -> Placement:
    settled = Placement(slice=SLICE, host=Host("a"), application=APP, version="1.8-1", generation=4)
    return replace(settled, **other)  # type: ignore[arg-type]


def digest_of(slice_: WantedSlice, placed: Placement, verb: Verb = Verb.APPCONFIG) -> str:
    return orders.placed(slice_, placed, verb).digest


def test_a_digest_is_of_what_is_asked_for_and_of_nothing_else() -> None:
    slice_ = wanted_slice()
    plain = digest_of(slice_, placement())
    assert digest_of(slice_, placement(generation=9, host=Host("b"))) == plain
    assert digest_of(slice_, placement(), Verb.RESTART) == plain
    assert digest_of(replace(slice_, status_period=1.0, plan=slice_.plan), placement()) == plain
    others = {
        digest_of(slice_, placement(version="1.9-1")),
        digest_of(slice_, placement(restarts=1)),
        digest_of(slice_, placement(), Verb.STOP),
        digest_of(replace(slice_, applications={APP: replace(pinger(), packages=(OTHER,))}), placement()),
        orders.REMOVAL,
        orders.DELETION,
        orders.creation_digest(slice_),
        orders.creation_digest(replace(slice_, agent="another")),
        plain,
    }
    assert len(others) == 9


HELLO = Configuration.of({"greeting": "hello"})


def test_digests_stay_what_they_are_so_that_another_version_of_the_planner_is_understood() -> None:
    # Each is what sha256sum says of its words, a line each: run, pinger, 1.8-1, 0 and the package.
    slice_ = wanted_slice()
    assert digest_of(slice_, placement()) == "cfb74c16a9a5abb5"
    assert digest_of(slice_, placement(restarts=3), Verb.STOP) == "04c108a6ea85b186"
    assert orders.creation_digest(replace(slice_, agent="a")) == "8edc67a6a9ea071f"
    assert (orders.DELETION, orders.REMOVAL) == ("56ee722d38502d7c", "283bb9deef02e684")
    configured = replace(slice_, applications={APP: replace(pinger(), configuration=HELLO)})
    placed = placement(configuration=HELLO.digest)
    assert digest_of(configured, placed) == "dcce438ff320d40d"
    assert orders.placed(configured, placed, Verb.APPCONFIG).configuration == HELLO


def test_the_orders_about_a_sliver_say_the_whole_of_it() -> None:
    slice_ = replace(wanted_slice(), agent="another", hosts={Host("a"): 4})
    creation = Order(verb=Verb.CREATE, host=Host("a"), slice=SLICE, generation=4, agent="another")
    digest = orders.creation_digest(slice_)
    assert orders.creation(slice_, Host("a")) == replace(creation, digest=digest)
    deletion = Order(verb=Verb.DELETE, host=Host("a"), slice=SLICE, generation=5, digest=orders.DELETION)
    assert orders.deletion(SLICE, Host("a"), 5) == deletion


@pytest.mark.parametrize("run", list(Run))
def test_digests_that_are_made_once_are_those_of_the_orders(run: Run) -> None:
    slice_, placed = wanted_slice(), placement(run=run)
    verb = Verb.STOP if run is Run.STOPPED else Verb.START
    digests = orders.Digests(slice_)
    assert digests.of(placed) == digests.of(placed) == digest_of(slice_, placed, verb)


def test_a_digest_travels_with_its_order() -> None:
    slice_ = replace(wanted_slice(), hosts={Host("a"): 4})
    for order in (
        orders.creation(slice_, Host("a")),
        orders.deletion(SLICE, Host("a"), 4),
        orders.placed(slice_, placement(), Verb.START),
        orders.removal(slice_, Host("a"), APP),
    ):
        assert order.digest
        assert read(order) == order
        assert "digest" not in replace(order, digest="").pairs


def read(order: Order) -> Order:
    sender = Sender("planner", "planner", "b")
    event = sender.event("/c/", "status", now=0.0, id_="i", value=order.text, pairs=order.pairs)  # type: ignore[arg-type]
    return order_of(event)
