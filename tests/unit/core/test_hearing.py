"""What a receiver asks of an event: for whom, of which type, how old; and the lease payload."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.channels import Channel
from dsmt_core.errors import Invalid
from dsmt_core.events import ATTRIBUTE, DEPLOYMENT_STATUS, Doubles, Event, Sender
from dsmt_core.hearing import Wants, meant_for, of_type
from dsmt_core.leases import DURATION_S, LEASE, Lease, Op, lease_of
from dsmt_core.legal import is_traceparent

XS_ATTRIBUTE = "http://psepr.org/xs/payload/attribute"
TRACE = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def event(**more: object) -> Event:
    sent = {"now": 100.0, "id_": "i", **more}
    return Sender("s", "i", "b").event(Channel("/a/"), "f", **sent)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("service", "instance", "heard"),
    [
        ("", "", True),
        ("me", "", True),
        ("me", "first", True),
        ("me", "second", False),
        ("you", "", False),
        ("you", "first", False),
        ("", "first", False),
    ],
)
def test_an_event_is_heard_by_whom_it_is_narrowed_to(*, service: str, instance: str, heard: bool) -> None:
    assert meant_for(event(to_service=service, to_instance=instance), "me", "first") is heard


def test_a_lease_without_wishes_hears_everything_and_one_with_a_name_what_is_for_it() -> None:
    to_me, to_you = event(to_service="me", to_instance="second"), event(to_service="you")
    assert all(Wants().hears(each) for each in (event(), to_me, to_you))
    assert [Wants(service="me").hears(each) for each in (event(), to_me, to_you)] == [True, True, False]
    assert not Wants(service="me", instance="first").hears(to_me)


def test_a_lease_may_want_one_type_and_one_state() -> None:
    failed = event(payload=XS_ATTRIBUTE, field=DEPLOYMENT_STATUS, pairs={"status": "failed"})
    assert Wants(payload=ATTRIBUTE, state="failed").hears(failed)
    assert not Wants(state="running").hears(failed)
    assert not Wants(payload=LEASE).hears(failed)


def test_attributes_are_one_type_in_both_namespaces() -> None:
    for payload in (ATTRIBUTE, XS_ATTRIBUTE):
        spoken = event(payload=payload, field=DEPLOYMENT_STATUS, pairs={"status": "failed"})
        assert of_type(spoken, ATTRIBUTE)
        assert of_type(spoken, XS_ATTRIBUTE)
        assert not of_type(spoken, LEASE)
        assert spoken.state == "failed"
    assert of_type(event(payload="urn:own"), "urn:own")
    assert not of_type(event(payload="urn:own"), ATTRIBUTE)


def test_an_event_without_a_life_has_no_order() -> None:
    doubles, spoken = Doubles(), event(boot_id="")
    assert doubles.is_new(spoken)
    assert doubles.is_new(spoken)


@pytest.mark.parametrize(
    ("text", "legal"),
    [
        (f"00-{TRACE}", True),
        (f"cc-{TRACE}", True),
        (f"cc-{TRACE}-what-comes-later", True),
        (f"00-{TRACE}-more", False),
        (f"cc-{TRACE}.more", False),
        (f"ff-{TRACE}", False),
        (f"00-{TRACE.upper()}", False),
        (f"00-{TRACE}\n", False),
        (f"cc-{TRACE}-{'x' * 255}", False),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", False),
        (f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01", False),
        ("", False),
    ],
)
def test_a_traceparent_is_one_of_w3c(*, text: str, legal: bool) -> None:
    assert is_traceparent(text) is legal


leases = st.builds(
    Lease,
    op=st.sampled_from(Op),
    identifier=st.text(min_size=1, max_size=255),
    duration=st.integers(1, 10**6).map(float),
    payload=st.text(max_size=40),
)


@given(leases)
def test_a_lease_survives_its_payload(lease: Lease) -> None:
    assert lease_of(event(payload=LEASE, pairs=lease.pairs)) == lease


def test_a_lease_is_granted_up_to_a_limit_and_renewed_at_four_fifths() -> None:
    asked = lease_of(event(payload=LEASE, pairs={"op": "register", "identifier": "x"}))
    assert asked.duration == DURATION_S
    answer = asked.granted(most=100)
    assert (answer.op, answer.identifier, answer.duration) == (Op.LEASE, "x", 100)
    assert asked.granted(most=1e6).duration == DURATION_S
    assert answer.renew_at(1000) == 1080


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ({"op": "take", "identifier": "x"}, "not asked of a lease"),
        ({"op": "register"}, "identifier"),
        ({"op": "register", "identifier": "x" * 256}, "identifier"),
        ({"op": "register", "identifier": "x", "duration": "-1"}, "duration"),
        ({"op": "register", "identifier": "x", "duration": "0"}, "duration"),
        ({"op": "register", "identifier": "x", "duration": "inf"}, "duration"),
    ],
)
def test_a_lease_that_is_none_is_refused_with_its_reason(pairs: dict[str, str], reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        lease_of(event(payload=LEASE, pairs=pairs))


def test_another_payload_is_no_lease() -> None:
    with pytest.raises(Invalid, match="not a lease"):
        lease_of(event())
