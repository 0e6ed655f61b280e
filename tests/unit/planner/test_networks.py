"""Nodes that cannot give the chosen network: none is told to, and none is chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.commands import Verb
from dsmt_core.limits import LACKING_FACT, NETWORKS_FACT, Limits, Network
from dsmt_core.names import Host
from planner.abilities import unfit
from planner.fleet import NodeSeen, SliverSeen
from planner.networks import NOT_TOLD, withheld
from planner.outlook import world_of
from planner.reconcile.needs import Asking, SliceNeeds
from tests.unit.planner.toy import SLICE, Toy, hosts, wanted_slice

N0, N1, N2 = hosts(3)
ALL = {NETWORKS_FACT: "host none own"}
OLD = {"cpus": "2"}
LACKS = {
    NETWORKS_FACT: "host none",
    LACKING_FACT: "own: slirp4netns is missing (apt-get install slirp4netns)",
}
OWN = Limits(network=Network.OWN)
OLDER = "its DSMT is older and does not know the network own: upgrade dsmt-node there"
MISSING = "it cannot give the network own: slirp4netns is missing (apt-get install slirp4netns)"


def toy(*facts: dict[str, str]) -> Toy:
    made = Toy(3, (replace(wanted_slice(), limits=OWN),))
    for host, told in zip((N0, N1, N2), facts, strict=False):
        tell(made, host, told)
    return made


def tell(made: Toy, host: Host, facts: dict[str, str]) -> None:
    node = made.fleet.node(host)
    assert node is not None
    node.facts = facts


@pytest.mark.parametrize(
    ("network", "facts", "why"),
    [
        (Network.HOST, {}, ""),
        (Network.HOST, OLD, ""),
        (Network.NONE, {}, NOT_TOLD),
        (Network.NONE, OLD, OLDER.replace("own", "none")),
        (Network.NONE, LACKS, ""),
        (Network.OWN, ALL, ""),
        (Network.OWN, LACKS, MISSING),
        (Network.OWN, {NETWORKS_FACT: "host", LACKING_FACT: "none: x"}, "it cannot give the network own"),
        (Network.OWN, {NETWORKS_FACT: "owner"}, "it cannot give the network own"),
    ],
)
def test_what_a_node_tells_is_what_it_is_trusted_with(
    network: Network, facts: dict[str, str], why: str
) -> None:
    assert withheld(network, NodeSeen(facts=facts), None) == why


def test_a_sliver_that_keeps_the_choice_is_proof() -> None:
    kept = SliverSeen(container_says={"limits-enforced": "memory=cgroup2 network=none"})
    for facts in ({}, OLD, ALL):
        assert withheld(Network.NONE, NodeSeen(facts=facts), kept) == ""
    assert withheld(Network.OWN, NodeSeen(facts=OLD), kept) == OLDER


def test_who_is_known_not_to_can_is_as_good_as_failed_and_nobody_else() -> None:
    made = toy(ALL, LACKS)
    assert unfit(made.slice, made.fleet) == {N1: MISSING}
    assert world_of(made.slice, made.fleet).misfits == {N1: MISSING}
    assert unfit(wanted_slice(), made.fleet) == {}


def test_no_order_goes_to_a_node_that_would_run_it_with_its_own_network() -> None:
    made = toy(OLD, ALL)
    slice_ = replace(made.slice, hosts={N0: 1, N1: 1, N2: 1})
    needs = SliceNeeds(slice_, made.fleet, now=made.now)
    for asked in (Asking(), Asking(node=True)):
        assert [order.order.verb for order in needs.of_host(N1, asked).orders] == [Verb.CREATE]
        for host, why in ((N0, OLDER), (N2, NOT_TOLD)):
            found = needs.of_host(host, asked)
            assert found.orders == []
            assert found.waiting[0] == ("", why)


def test_the_slice_runs_where_it_can_and_elsewhere_when_a_node_can_no_more() -> None:
    made = toy(ALL, OLD, ALL)
    made.run()
    assert made.running() == {N0, N2}
    assert made.fleet.held(SLICE, N1) is None
    tell(made, N1, ALL)
    made.fleet.take_dirty()
    made.change(replace(made.slice, limits=replace(OWN, memory=1 << 30)))
    made.run()
    assert made.running() == {N0, N1, N2}
