"""A node and its agents follow only whom they were told to, and the planner changes its key in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agents.container_manager import pinning
from agents.container_manager.main import run as dsmt_node
from agents.order_trust import OrderTrust, keys_of
from broker.bus import Delivery
from dsmt_core.channels import facts_channel
from dsmt_core.commands import Order, Verb
from dsmt_core.ed25519 import Signer
from dsmt_core.errors import Denied, Invalid, Unavailable
from dsmt_core.events import Event, Sender
from dsmt_core.names import Host, Slice
from dsmt_core.nodes import HOLDINGS
from dsmt_core.rights import ORDERS
from dsmt_core.signing import HAND_OVER, SESSION, fingerprint, key_id
from planner.authority.order_keys import OrderKeys
from planner.service.signing import Signing, of_node

HOST = Host("h.example")
NOW = 1_000_000.0
LISTENS = of_node(HOST)


@pytest.fixture
def keys(tmp_path: Path) -> OrderKeys:
    return OrderKeys(tmp_path / "order.key")


def signing(keys: OrderKeys) -> Signing:
    return Signing(keys, lambda: NOW)


def order() -> Event:
    said = Order(verb=Verb.CREATE, host=HOST, slice=Slice("s"), generation=3)
    return Sender("x", "planner", "b").event(
        facts_channel(HOST), "status", now=NOW, id_="i", value=said.text, pairs=said.pairs
    )


def trust(keys: OrderKeys, now: float = NOW, session: str = "mine") -> OrderTrust:
    return OrderTrust([keys.current().signer.public], session, lambda: now)


def test_without_a_key_all_is_as_before() -> None:
    assert OrderTrust((), "mine").refusal(order()) is None


def test_what_the_planner_signs_is_followed_and_else_nothing(keys: OrderKeys) -> None:
    assert trust(keys).refusal(signing(keys).signed(order(), LISTENS)) is None
    found = trust(keys).refusal(order())
    assert found is not None
    assert found.reason == "it is not signed"


def test_an_order_names_the_session_of_who_has_said_what_it_holds(keys: OrderKeys) -> None:
    planner = signing(keys)
    assert SESSION not in planner.signed(order(), LISTENS).pairs
    said = replace(order(), field=HOLDINGS, boot_id="mine")
    assert planner.hearing(lambda _: True)(said)
    signed = planner.signed(order(), LISTENS)
    assert signed.pairs[SESSION] == "mine"
    assert trust(keys, NOW + 1e6).refusal(signed) is None
    assert trust(keys, NOW + 1e6, "another").refusal(signed) is not None


def test_who_hears_what_is_too_old_says_its_session_but_not_each_time(keys: OrderKeys) -> None:
    refused: list[str] = []
    asked: list[bool] = []
    event = signing(keys).signed(order(), LISTENS)
    delivery = Delivery(event, ORDERS, "planner", refuse=refused.append)
    late = trust(keys, NOW + 1e6)
    assert not late.believes(delivery, lambda: asked.append(True))
    assert not late.believes(delivery, lambda: asked.append(True))
    assert (len(refused), len(asked), late.refused) == (2, 1, 2)
    assert trust(keys).believes(delivery)


def test_a_key_that_was_changed_is_followed_and_the_old_one_no_more(keys: OrderKeys) -> None:
    receiver = trust(keys)
    old = signing(keys).signed(order(), LISTENS)
    keys.rotate()
    keys.rotate()
    assert receiver.refusal(signing(keys).signed(order(), LISTENS)) is None
    assert receiver.keys == {keys.current().signer.public}
    assert receiver.refusal(old) is not None
    assert receiver.pairs == {"order_keys": keys.current().signer.public}


def test_a_hand_over_that_cannot_be_read_is_refused(keys: OrderKeys) -> None:
    event = signing(keys).signed(order(), LISTENS)
    found = trust(keys).refusal(replace(event, pairs={**event.pairs, HAND_OVER: "x"}))
    assert found is not None
    assert "hand-over" in found.reason


def test_the_planner_keeps_its_key_and_sees_one_that_another_process_made(keys: OrderKeys) -> None:
    first = keys.current()
    assert keys.current() is first
    path = keys._path
    assert path.stat().st_mode & 0o777 == 0o600
    other = OrderKeys(path)
    assert other.current().signer.public == first.signer.public
    made = other.rotate()
    assert made.signer.public != first.signer.public
    assert keys.current().signer.public == made.signer.public
    for _ in range(6):
        keys.rotate()
    assert len(keys.current().hand_overs) == 4


@pytest.mark.parametrize("content", ["", "{}", '{"seed": "AA", "made_at": 1, "hand_overs": []}', "[1]"])
def test_a_key_that_cannot_be_read_signs_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "order.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(Unavailable, match="signs orders"):
        OrderKeys(path).current()


def test_a_key_that_others_can_read_signs_nothing(keys: OrderKeys) -> None:
    keys.current()
    keys._path.chmod(0o644)
    with pytest.raises(Unavailable, match="chmod 600"):
        OrderKeys(keys._path).current()


def test_a_node_believes_the_first_key_and_then_those_that_it_leads_to(
    tmp_path: Path, keys: OrderKeys
) -> None:
    assert pinning.pin(tmp_path, {}) == ""
    assert pinning.pin(tmp_path, signing(keys).told()) == keys.current().signer.public
    assert keys_of(pinning.pin(tmp_path, {})) == pinning.known(tmp_path)
    keys.rotate()
    assert pinning.pin(tmp_path, signing(keys).told()) == keys.current().signer.public
    stranger = Signer(b"x" * 32).public
    with pytest.raises(Denied, match=f"dsmt-node trust --data DIR --fingerprint {fingerprint(stranger)}"):
        pinning.pin(tmp_path, {"order_key": stranger})
    assert pinning.known(tmp_path) == (keys.current().signer.public,)


def test_people_say_on_the_node_whom_it_is_to_believe(tmp_path: Path, keys: OrderKeys) -> None:
    pinning.pin(tmp_path, {"order_key": Signer(b"x" * 32).public})
    expected = fingerprint(keys.current().signer.public)
    dsmt_node(["trust", "--data", str(tmp_path), "--fingerprint", expected.upper()])
    with pytest.raises(Denied):
        pinning.pin(tmp_path, {"order_key": Signer(b"x" * 32).public})
    assert pinning.pin(tmp_path, signing(keys).told()) == keys.current().signer.public


def test_what_is_no_fingerprint_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        dsmt_node(["trust", "--data", str(tmp_path), "--fingerprint", "ab"])
    assert ended.value.code == Invalid.exit_code


def test_a_file_of_keys_that_cannot_be_read_stops_the_node(tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_text("{")
    for _ in range(2):
        with pytest.raises(Invalid, match="who may give orders"):
            pinning.known(tmp_path)
    dsmt_node(["trust", "--data", str(tmp_path), "--fingerprint", "0" * 64])
    assert pinning.known(tmp_path) == ()


def test_keys_are_named_by_the_beginning_of_their_fingerprint(keys: OrderKeys) -> None:
    public = keys.current().signer.public
    assert fingerprint(public).startswith(key_id(public))
