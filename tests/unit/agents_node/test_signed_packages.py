"""Before anything of an order is installed its packages are looked at; what is in use goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents import signed_packages
from agents.container_manager.decide import Node
from agents.deployment_agent.decide.steps import Fetch, Install, Prepare
from agents.deployment_agent.hands import check_signed
from agents.scripted.held import asked
from dsmt_core.agents import AgentPackage
from dsmt_core.commands import Order, Verb
from dsmt_core.errors import Denied
from dsmt_core.limits import Limits
from dsmt_core.names import Application, Host, Slice
from dsmt_core.packages import PackageRef
from dsmt_core.publishers import Vouching
from tests.publisher import Publisher, statement

OURS, THEIRS = Publisher("o"), Publisher("t")
WRAPPER = statement(b"wrapper", "dsmtw_x", "1-1")
AGENT = statement(b"agent", "mine", "1")
ROOT = statement(b"root", "tree", "1", kind="rootfs")
KEYS = frozenset({OURS.key})
ORDER = Order(
    verb=Verb.APPCONFIG,
    host=Host("h1"),
    slice=Slice("s1"),
    generation=1,
    application=Application("x"),
    wrapper="dsmtw_x",
    version="1-1",
    packages=(PackageRef(WRAPPER.digest, 7, "x-1.rpm"),),
    vouching=Vouching(KEYS, (OURS.signs(WRAPPER),)),
)
SLIVER = Order(
    verb=Verb.CREATE,
    host=Host("h1"),
    slice=Slice("s1"),
    generation=1,
    agent="mine",
    agent_package=AgentPackage(name="mine", version="1", package=PackageRef(AGENT.digest, 5, "mine.tar")),
    limits=Limits(root=f"{ROOT.digest}/4"),
    vouching=Vouching(KEYS, (OURS.signs(AGENT), OURS.signs(ROOT))),
)
STRIPPED = Vouching(KEYS)


def test_an_application_is_installed_as_it_was_signed() -> None:
    assert signed_packages.of_application(ORDER) == ""
    assert "not signed" in signed_packages.of_application(replace(ORDER, vouching=STRIPPED))
    for wrong in (replace(ORDER, version="2-1"), replace(ORDER, wrapper="dsmtw_y")):
        assert "is signed as dsmtw_x 1-1, and ordered as" in signed_packages.of_application(wrong)


def test_each_step_that_brings_packages_is_looked_at_and_that_back_is_not() -> None:
    bad = replace(ORDER, vouching=STRIPPED)
    for step in (Fetch(ORDER.packages), Prepare(ORDER.packages, "1-1"), Install(ORDER.packages, "1-1")):
        check_signed(ORDER, step)
        with pytest.raises(Denied, match=r"x-1\.rpm is not signed"):
            check_signed(bad, step)
    before = (PackageRef("e" * 64, 1, "x-0.rpm"),)
    check_signed(bad, Install(before, "0-1"))


def test_a_sliver_is_made_of_what_was_signed() -> None:
    assert signed_packages.of_sliver(SLIVER) == ""
    assert "mine.tar is not signed" in signed_packages.of_sliver(replace(SLIVER, vouching=STRIPPED))
    half = replace(SLIVER, vouching=Vouching(KEYS, (OURS.signs(AGENT),)))
    assert "rootfs-" in signed_packages.of_sliver(half)
    other = replace(
        SLIVER, vouching=Vouching(KEYS, (OURS.signs(replace(AGENT, version="0")), OURS.signs(ROOT)))
    )
    assert "is signed as mine 0, and ordered as mine 1" in signed_packages.of_sliver(other)
    plain = replace(SLIVER, agent_package=None, limits=Limits(), vouching=STRIPPED)
    assert signed_packages.of_sliver(plain) == ""


def test_a_node_knows_what_is_in_use() -> None:
    node = Node()
    assert not node.uses(SLIVER)
    node.order(SLIVER, 0.0)
    assert node.uses(replace(SLIVER, generation=2, vouching=STRIPPED))
    for other in (
        replace(SLIVER, limits=Limits()),
        replace(SLIVER, agent_package=replace(SLIVER.agent_package, version="2")),  # type: ignore[type-var]
        replace(SLIVER, slice=Slice("s2")),
    ):
        assert not node.uses(other)


def test_an_agent_of_scripts_knows_what_it_has() -> None:
    fresh = asked(ORDER)
    assert not fresh.has(ORDER)
    there = replace(fresh, installed="1-1")
    assert there.has(replace(ORDER, vouching=STRIPPED))
    assert not there.has(replace(ORDER, packages=()))
    assert not replace(there, installed="0-1").has(ORDER)
    # To rest it may be told in any case.
    assert fresh.has(replace(ORDER, verb=Verb.STOP))
    assert not fresh.has(replace(ORDER, verb=Verb.STOP, packages=()))
