"""Nodes that cannot make a slice's slivers as they are to be: no order, no choice, and the reason said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.lifecycle import State
from dsmt_core.limits import ROOTS_FACT, ROOTS_LACKING_FACT, Limits
from dsmt_core.names import Application
from dsmt_core.packages import PackageRef
from planner.abilities import NOT_TOLD, unfit, withheld
from planner.fleet import NodeSeen, SliverSeen
from planner.fleet.seen import ApplicationSeen
from planner.outlook import world_of
from planner.reconcile.needs import Asking, SliceNeeds
from planner.wanted import WantedApplication
from tests.unit.planner.test_networks import tell
from tests.unit.planner.toy import Toy, hosts, wanted_slice

N0, N1, N2 = hosts(3)
NAMED = Limits(root="debian12")
PACKED = Limits(root=f"{'ab' * 32}/1000")
OLD = {"cpus": "2"}
HAS = {ROOTS_FACT: "@depot debian12"}
LACKS = {ROOTS_FACT: "", ROOTS_LACKING_FACT: "overlay: permission denied"}
OLDER = "its DSMT is older and knows no root file systems: upgrade dsmt-node there"
SITE = Application("site")
IMAGE = WantedApplication(
    name=SITE, wrapper="site", version="1", packages=(PackageRef("ab" * 32, 100, "site-1.image"),)
)
NO_IMAGES = "it makes no slivers out of images, and site is one: apt-get install podman runc"


@pytest.mark.parametrize(
    ("limits", "facts", "why"),
    [
        (Limits(), {}, ""),
        (Limits(), LACKS, ""),
        (NAMED, {}, NOT_TOLD),
        (NAMED, OLD, OLDER),
        (NAMED, HAS, ""),
        (PACKED, HAS, ""),
        (NAMED, LACKS, "it has no root file system debian12: overlay: permission denied"),
        (PACKED, LACKS, "it has no root file system abababababab: overlay: permission denied"),
        (
            NAMED,
            {ROOTS_FACT: "@depot debian"},
            "it has no root file system debian12: dsmt-node --rootfs debian12=… offers one",
        ),
        (PACKED, {ROOTS_FACT: "@depot"}, ""),
    ],
)
def test_what_a_node_tells_of_root_file_systems_is_what_it_is_trusted_with(
    limits: Limits, facts: dict[str, str], why: str
) -> None:
    assert withheld(replace(wanted_slice(), limits=limits), NodeSeen(facts=facts), None) == why


def test_a_sliver_that_is_over_it_already_is_proof() -> None:
    kept = SliverSeen(container_says={"limits-enforced": "memory=cgroup2 root=debian12"})
    assert withheld(replace(wanted_slice(), limits=NAMED), NodeSeen(facts=OLD), kept) == ""
    other = replace(wanted_slice(), limits=Limits(root="debian1"))
    assert withheld(other, NodeSeen(facts=OLD), kept) == OLDER


def test_no_node_is_chosen_or_told_that_would_use_its_own_system() -> None:
    slice_ = replace(wanted_slice(), limits=NAMED)
    made = Toy(3, (slice_,))
    tell(made, N0, OLD)
    tell(made, N1, HAS)
    assert unfit(made.slice, made.fleet) == {N0: OLDER}
    assert world_of(made.slice, made.fleet).misfits == {N0: OLDER}
    placed = replace(made.slice, hosts={N0: 1, N1: 1, N2: 1})
    needs = SliceNeeds(placed, made.fleet, now=made.now)
    for host, why in ((N0, OLDER), (N2, NOT_TOLD)):
        found = needs.of_host(host, Asking())
        assert found.waiting[0] == ("", why)


def test_an_image_goes_where_images_are_told_of_and_stays_where_it_runs() -> None:
    slice_ = replace(wanted_slice(), applications={SITE: IMAGE})
    made = Toy(3, (slice_,))
    tell(made, N0, OLD)
    tell(made, N1, {"images": "podman"})
    assert unfit(made.slice, made.fleet) == {N0: NO_IMAGES}
    running = ApplicationSeen()
    running.layer.state = State.RUNNING
    sliver = SliverSeen(applications={SITE: running})
    made.fleet._slivers[made.slice.name, N0] = sliver
    assert unfit(made.slice, made.fleet) == {}


def test_whoever_asks_for_nothing_is_fit_for_every_node() -> None:
    made = Toy(3, (wanted_slice(),))
    for host in (N0, N1, N2):
        tell(made, host, OLD)
    assert unfit(made.slice, made.fleet) == {}
