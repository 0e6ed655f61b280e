"""Packages: neither depot nor a member's password nor an altered database has a node install other ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from depot.describing import described
from dsmt_core.agents import AgentPackage
from dsmt_core.channels import command_channel
from dsmt_core.commands import Order, Verb
from dsmt_core.errors import Denied
from dsmt_core.events import Event
from dsmt_core.limits import Limits
from dsmt_core.names import CONTAINER_MGR, Application, Slice
from dsmt_core.packages import PackageRef
from dsmt_core.publishers import PUBLISHERS_PAIR, SIGNATURES_PAIR, Statement, Vouching
from dsmt_core.rights import PSEPR
from dsmt_core.wire import decode
from planner.authority.order_keys import OrderKeys
from tests.attacks.intruder import intruding
from tests.attacks.test_orders import TO_AGENT, event_of, refused, say, signed
from tests.attacks.town import ALPHA, HERE, Town
from tests.e2e.application import App
from tests.publisher import Publisher

BUILD, THIEF = Publisher("b"), Publisher("t")
VICTIM = Application("victim")
# Above what the planner has said; after each attempt it says more.
NUMBERS = iter(range(1_000, 1_000_000, 1_000))


@dataclass(frozen=True)
class Shelf:
    """A version of the application that is in the depot, its package and its wrapper."""

    paths: list[Path]
    refs: tuple[PackageRef, ...]
    said: tuple[Statement, ...]

    def vouched(self, by: Publisher = BUILD) -> Vouching:
        return Vouching(frozenset({BUILD.key}), tuple(map(by.signs, self.said)))


def shelved(folder: Path, version: str) -> Shelf:
    folder.mkdir()
    paths = App(name=VICTIM, version=version).packages(folder)
    found = [described(path) for path in paths]
    refs = [PackageRef(one.digest, one.size, path.name) for one, path in zip(found, paths, strict=True)]
    said = [
        Statement(
            kind=one.said.kind,
            name=one.said.name,
            version=one.said.version,
            arch=one.said.arch,
            digest=one.digest,
        )
        for one in found
    ]
    return Shelf(paths, tuple(refs), tuple(said))


@pytest.fixture(scope="module")
def newer(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """A newer version, put by a member and signed by nobody; the slice takes what its publisher signed."""
    shelf = shelved(tmp_path_factory.mktemp("newer") / "packages", "1.9")
    before = town.vitals()
    with town.scene.client() as client:
        client.add_publisher(ALPHA, "build", BUILD.line)
        for path in shelf.paths:
            client.put_package(ALPHA, path)
    # What runs is not signed, and goes on.
    assert town.vitals() == before
    return shelf


@pytest.fixture(autouse=True)
def unharmed(town: Town, newer: Shelf) -> Iterator[None]:
    """Whatever a test tries: afterwards everything runs as before, and nothing was restarted."""
    before = town.vitals()
    yield
    assert town.vitals() == before


def order(shelf: Shelf, vouching: Vouching, **more: Any) -> Order:
    """What a planner would order whose database was altered."""
    return Order(
        verb=Verb.UPDATE,
        host=HERE,
        slice=ALPHA,
        generation=next(NUMBERS),
        application=VICTIM,
        wrapper=f"dsmtw_{VICTIM}",
        version=more.pop("version", shelf.said[-1].version),
        packages=shelf.refs,
        vouching=vouching,
        **more,
    )


def by_planner(town: Town, event: Event) -> Event:
    """An event that the planner has really signed."""
    return signed(event, OrderKeys(town.scene.scenery.home / "planner" / "order.key").current().signer)


def told(town: Town, ordered: Order, why: str) -> None:
    """Order it, and hear the agent say why it goes on with what it has."""
    with intruding(town.scene.server.url("planner")) as broker, broker.channel() as channel:
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, PSEPR, "#")

        def attempt() -> None:
            newest = replace(ordered, generation=next(NUMBERS))
            say(town, by_planner(town, event_of(newest, TO_AGENT)))

        attempt()

        def heard() -> bool:
            while (got := channel.basic_get(queue, auto_ack=True))[0] is not None:
                event = decode(got[2], got[1].content_type)
                if why in event.pairs.get("reason", "") and event.pairs.get("version") == "1.8-1":
                    return True
            return False

        # The planner orders what it wants as soon as it hears of another order; if that comes before the
        # agent has looked at the packages, there is nothing to tell.
        town.until(heard, attempt)


def test_a_member_cannot_have_run_what_no_publisher_signed(town: Town, newer: Shelf) -> None:
    with town.scene.client() as client:
        for act in (
            lambda: client.act(ALPHA, VICTIM, "update", version="1.9-1"),
            lambda: client.start_rollout(ALPHA, VICTIM, version="1.9-1"),
        ):
            with pytest.raises(Denied, match="wants packages signed by build"):
                act()


def test_a_signature_of_another_package_key_or_purpose_is_not_kept(town: Town, newer: Shelf) -> None:
    lib, wrapper = newer.said
    name = newer.paths[0].name
    with town.scene.client() as client:
        for text in (
            BUILD.armoured(wrapper.text),
            BUILD.armoured(replace(lib, version="1.8-1").text),
            THIEF.armoured(lib.text, says=BUILD.line),
        ):
            with pytest.raises(Denied, match="this signature is not of"):
                client.sign_package(ALPHA, name, text)
        # One of a key that the slice does not take is no use.
        assert client.sign_package(ALPHA, name, THIEF.armoured(lib.text))["publisher"] == ""
        with pytest.raises(Denied, match=r"(is|are) not signed"):
            client.act(ALPHA, VICTIM, "update", version="1.9-1")


@pytest.mark.parametrize(
    ("vouching", "why"),
    [
        (lambda shelf: replace(shelf.vouched(), signatures=()), "is not signed by a publisher"),
        (lambda shelf: replace(shelf.vouched(), keys=frozenset()), "is not signed by a publisher"),
        (lambda shelf: shelf.vouched(THIEF), "is not signed by a publisher"),
        (
            lambda shelf: replace(
                shelf.vouched(),
                signatures=tuple(replace(one, key=BUILD.key) for one in shelf.vouched(THIEF).signatures),
            ),
            "is not signed by a publisher",
        ),
        (
            lambda shelf: replace(
                shelf.vouched(),
                signatures=tuple(
                    replace(BUILD.signs(one), about=other)
                    for one, other in zip(shelf.said, shelf.said[::-1], strict=True)
                ),
            ),
            "is not signed by a publisher",
        ),
        (
            lambda shelf: replace(
                shelf.vouched(),
                signatures=(
                    BUILD.signs(shelf.said[0]),
                    BUILD.signs(replace(shelf.said[1], version="1.7-1")),
                ),
            ),
            "is signed as dsmtw_victim 1.7-1, and ordered as dsmtw_victim 1.9-1",
        ),
    ],
    ids=[
        "stripped",
        "withdrawn",
        "of a thief",
        "in the publisher's name",
        "of another",
        "of another version",
    ],
)
def test_an_agent_looks_itself(
    town: Town, newer: Shelf, vouching: Callable[[Shelf], Vouching], why: str
) -> None:
    told(town, order(newer, vouching(newer)), why)


@pytest.mark.parametrize("pair", [PUBLISHERS_PAIR, SIGNATURES_PAIR])
def test_pairs_that_are_taken_out_on_the_way(town: Town, newer: Shelf, pair: str) -> None:
    real = by_planner(town, event_of(order(newer, newer.vouched(THIEF)), TO_AGENT))
    stripped = {name: text for name, text in real.pairs.items() if name != pair}
    refused(town, replace(real, pairs=stripped), "not of what it says")


@pytest.mark.parametrize("agent", [True, False], ids=["agent", "root"])
def test_a_node_makes_no_sliver_with_an_agent_or_a_root_that_is_not_signed(
    town: Town, *, agent: bool
) -> None:
    package = PackageRef("d" * 64, 100, "mine-1.tar.gz")
    slice_ = Slice("gamma")
    create = Order(
        verb=Verb.CREATE,
        host=HERE,
        slice=slice_,
        generation=next(NUMBERS),
        agent="mine" if agent else "",
        agent_package=AgentPackage(name="mine", version="1", package=package) if agent else None,
        limits=Limits() if agent else Limits(root=f"{'e' * 64}/100"),
        vouching=Vouching(frozenset({BUILD.key})),
    )
    channel = command_channel(slice_, CONTAINER_MGR, HERE)
    refused(town, by_planner(town, event_of(create, channel)), "is not signed by a publisher")
    assert not (town.scene.scenery.home / HERE / "slivers" / slice_).exists()


def test_bytes_that_are_swapped_in_the_depot_are_not_installed(town: Town, tmp_path: Path) -> None:
    shelf, before = shelved(tmp_path / "packages", "1.9.1"), shelved(tmp_path / "before", town.app.version)
    with town.scene.client() as client:
        for one in (before, shelf):
            for path, said in zip(one.paths, one.said, strict=True):
                client.put_package(ALPHA, path)
                client.sign_package(ALPHA, path.name, BUILD.armoured(said.text))
        digest = shelf.refs[-1].digest
        blob = town.scene.scenery.home / "planner" / "depot" / "blobs" / digest[:2] / digest
        content = blob.read_bytes()
        blob.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        # Also what is said of it, beside it: nobody believes that.
        beside = blob.with_name(f"{digest}.json")
        beside.write_text(beside.read_text().replace("1.9.1-1", "1.8-1"))
        client.act(ALPHA, VICTIM, "update", version="1.9.1-1")

        def noticed() -> bool:
            hosts = client.status(ALPHA)["hosts"]
            return all("the depot sent is not what was ordered" in str(one) for one in hosts)

        town.until(noticed)
        client.act(ALPHA, VICTIM, "update", version=before.said[-1].version)


def test_a_key_that_is_withdrawn_stops_nothing_and_lets_nothing_in(town: Town, tmp_path: Path) -> None:
    shelf = shelved(tmp_path / "packages", "1.9.2")
    with town.scene.client() as client:
        for path, said in zip(shelf.paths, shelf.said, strict=True):
            client.put_package(ALPHA, path)
            client.sign_package(ALPHA, path.name, BUILD.armoured(said.text))
        client.remove_publisher(ALPHA, "build")
        with pytest.raises(Denied, match="takes no new packages: it has no publisher"):
            client.act(ALPHA, VICTIM, "update", version="1.9.2-1")
        client.add_publisher(ALPHA, "build", BUILD.line)
        acts = {one["act"] for one in client.audit({"about": ALPHA})}
    assert {"slice.publisher", "slice.no_publisher", "package.sign"} <= acts
