"""What is not signed by a publisher of its slice is not begun; what is there goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.agents import AgentPackage
from dsmt_core.commands import Verb
from dsmt_core.ed25519 import verify
from dsmt_core.errors import Denied
from dsmt_core.limits import ROOTS_FACT, Limits
from dsmt_core.packages import PackageRef
from dsmt_core.publishers import ANYBODY, Publishers, Statement
from planner import vouched
from planner.reconcile import orders
from planner.reconcile.needs import Asking, SliceNeeds
from planner.wanted import Run, WantedSlice
from tests.publisher import Publisher
from tests.unit.planner.test_networks import tell
from tests.unit.planner.toy import APP, PACKAGE, SLICE, Toy, hosts, pinger, wanted_slice

HOST = hosts(1)[0]
OURS, THEIRS = Publisher("o"), Publisher("t")
AGENT = AgentPackage(name="mine", version="1", package=PackageRef("b" * 64, 20, "mine-1.tar.gz"))
ROOT = Limits(root=f"{'c' * 64}/30")
REASON = "dsmtw_pinger-1.8-1.noarch.rpm is not signed, and the slice xyz1 wants packages signed by build"


def about(ref: PackageRef) -> Statement:
    return Statement(kind="rpm", name="dsmtw_pinger", version="1.8-1", arch="noarch", digest=ref.digest)


def signed(slice_: WantedSlice, *packages: PackageRef, by: Publisher = OURS) -> WantedSlice:
    """The slice with a publisher, and with these packages signed."""
    taking = replace(slice_, publishers=Publishers({"build": OURS.key}))
    return replace(taking, signed=vouched.chosen(taking, [by.signs(about(one)) for one in packages]))


def test_a_slice_without_publishers_takes_anything() -> None:
    slice_ = replace(wanted_slice(), agent_package=AGENT, limits=ROOT)
    vouched.check_all(slice_)
    assert vouched.vouching(slice_, [PACKAGE]) == ANYBODY
    assert (vouched.all_lacking(slice_), vouched.chosen(slice_, [OURS.signs(about(PACKAGE))])) == ({}, {})


def test_only_what_its_publishers_signed_counts() -> None:
    vouched.check_all(signed(wanted_slice(), PACKAGE))
    for slice_ in (signed(wanted_slice()), signed(wanted_slice(), PACKAGE, by=THEIRS)):
        with pytest.raises(Denied) as denied:
            vouched.check_all(slice_)
        assert denied.value.message == REASON
        assert "dsmtc depot sign" in denied.value.hint
        assert vouched.all_lacking(slice_) == {"pinger": [PACKAGE.filename]}


def test_what_rests_need_not_be_signed_and_the_sliver_must_be() -> None:
    resting = replace(pinger(), run=Run.STOPPED)
    slice_ = signed(replace(wanted_slice(apps={APP: resting}), agent_package=AGENT, limits=ROOT))
    with pytest.raises(Denied, match=r"mine-1\.tar\.gz, the root file system cccccccccccc are not signed"):
        vouched.check_all(slice_)
    vouched.check_all(signed(slice_, *vouched.of_sliver(slice_)))


def test_many_are_told_in_few_words() -> None:
    many = [PackageRef(f"{number}" * 64, 1, f"p{number}.rpm") for number in range(5)]
    assert vouched.why_not(signed(wanted_slice()), many).startswith("p0.rpm, p1.rpm, p2.rpm and 2 more are")
    nobody = replace(wanted_slice(), publishers=Publishers())
    assert vouched.why_not(nobody, many[:1]).endswith("xyz1 takes no new packages: it has no publisher")


def test_orders_carry_whose_packages_count_and_who_signed_theirs() -> None:
    toy = Toy(1)
    toy.run()
    plain = orders.placed(toy.slice, toy.slice.placements[0], Verb.APPCONFIG)
    taking = signed(toy.slice, PACKAGE)
    order = orders.placed(taking, taking.placements[0], Verb.APPCONFIG)
    assert (order.vouching.keys, plain.vouching) == (frozenset({OURS.key}), ANYBODY)
    assert [one.about for one in order.vouching.signatures if one.is_true(verify)] == [about(PACKAGE)]
    assert order.digest != plain.digest
    # Of a sliver only where it needs packages: the default agent comes with DSMT.
    assert orders.creation(taking, HOST).digest == orders.creation(toy.slice, HOST).digest
    brought = signed(replace(toy.slice, agent_package=AGENT, limits=ROOT), AGENT.package)
    creation = orders.creation(brought, HOST)
    assert [one.about.digest for one in creation.vouching.signatures] == [AGENT.package.digest]
    assert creation.digest != orders.creation_digest(replace(brought, publishers=None))


def test_a_host_that_has_it_not_is_ordered_nothing_that_is_not_signed() -> None:
    toy = Toy(1, (replace(wanted_slice(), publishers=Publishers({"build": OURS.key})),))
    toy.run()
    assert toy.slice.placements
    seen = toy.fleet.sliver(SLICE, HOST)
    assert seen is not None
    assert not seen.applications
    needs = SliceNeeds(toy.slice, toy.fleet, now=toy.now).of_host(HOST, Asking(agent=True))
    assert needs.waiting == [(APP, REASON)]
    assert not [one for one in needs.orders if one.key.application]


def test_what_a_host_has_goes_on_and_is_told_of_the_change() -> None:
    toy = Toy(1)
    toy.run()
    toy.change(replace(toy.slice, publishers=Publishers()))
    toy.run()
    seen = toy.fleet.sliver(SLICE, HOST)
    assert seen is not None
    assert seen.applications[APP].version == "1.8-1"
    needs = SliceNeeds(toy.slice, toy.fleet, now=toy.now).of_host(HOST, Asking())
    assert (needs.orders, needs.waiting) == ([], [])


def test_no_sliver_is_made_with_an_agent_that_is_not_signed() -> None:
    slice_ = replace(wanted_slice(), limits=ROOT, publishers=Publishers({"build": OURS.key}))
    toy = Toy(1, (slice_,))
    tell(toy, HOST, {ROOTS_FACT: "@depot"})
    toy.run()
    waiting = SliceNeeds(toy.slice, toy.fleet, now=toy.now).of_host(HOST, Asking()).waiting
    assert "the root file system cccccccccccc is not signed" in waiting[0][1]
    root = PackageRef(*(ROOT.root_package or ("", 0)), "tree.tar")
    toy.change(replace(toy.slice, signed=vouched.chosen(toy.slice, [OURS.signs(about(root))])))
    toy.run()
    node = toy.fleet.node(HOST)
    assert node is not None
    assert node.slivers
    # Who has it goes on, and is told what changes.
    toy.change(replace(toy.slice, signed={}))
    toy.run()
    assert node.slivers == {SLICE: toy.slice.hosts[HOST]}
