"""Names, life cycle, orders, holdings, rights and errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core import commands, errors, lifecycle, names, nodes, rights
from dsmt_core.channels import Channel, command_channel, facts_channel, heartbeat_channel, status_channel
from dsmt_core.commands import Order, Verb
from dsmt_core.errors import Invalid
from dsmt_core.events import Event, Sender
from dsmt_core.journal import record
from dsmt_core.lifecycle import State
from dsmt_core.names import Application, Host, Slice
from dsmt_core.packages import PackageRef

HOST, SLICE, APP = Host("planetlab5.nbgisp.com"), Slice("xyz1"), Application("XYZ")
PACKAGE = PackageRef("ab" * 32, 7, "dsmtw_XYZ-1.8.noarch.rpm")


def carried(order: Order, **more: object) -> Event:
    channel = command_channel(order.slice, names.DEPLOYMENT_AGENT, order.host)
    sender = Sender(names.manager_of(order.slice), "planner", "b")
    fields = {"value": order.text, "pairs": order.pairs} | more
    return sender.event(channel, "status", now=0, id_="i", **fields)


def order(verb: Verb = Verb.APPCONFIG) -> Order:
    return Order(
        verb=verb,
        host=HOST,
        slice=SLICE,
        generation=3,
        application=APP,
        wrapper="dsmtw_XYZ",
        version="1.8-1",
        packages=(PACKAGE,),
        restarts=2,
        status_period=0.5,
        agent="deployment-agent",
    )


def test_an_order_reads_as_the_guide_writes_it() -> None:
    assert order().text == "APPCONFIG,planetlab5.nbgisp.com,XYZ,dsmtw_XYZ"


@pytest.mark.parametrize("verb", sorted(commands.FOR_APPLICATIONS))
def test_an_order_for_an_application_survives_its_event(verb: Verb) -> None:
    assert commands.order_of(carried(order(verb))) == order(verb)


@pytest.mark.parametrize("verb", [Verb.CREATE, Verb.DELETE, Verb.REPORT])
def test_an_order_for_a_sliver_survives_its_event(verb: Verb) -> None:
    sent = Order(verb=verb, host=HOST, slice=SLICE, generation=3, agent="deployment-agent")
    assert commands.order_of(carried(sent)) == sent


@pytest.mark.parametrize(
    "change",
    [
        {"generation": "-1"},
        {"generation": "1e3"},
        {"generation": "9" * 19},
        {"packages": "x/1/y"},
        {"packages": f"{'ab' * 32}/1/../etc/passwd"},
        {"status-period": "soon"},
        {"status-period": "0"},
        {"status-period": "nan"},
        {"hostname": "other.example.org"},
        {"application": "a b"},
        {"slice": "no such\n"},
    ],
)
def test_an_order_with_a_wrong_pair_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        commands.order_of(carried(order(), pairs=order().pairs | change))


def test_a_request_in_the_guides_form_is_read() -> None:
    request = commands.request_of("APPCONFIG,planetlab5.nbgisp.com,XYZ,XYZ-proc")
    assert (request.verb, request.host, request.application) == (Verb.APPCONFIG, HOST, APP)
    for text in ("", "DANCE,h,a,w", "CREATE,h,s", "APPCONFIG,h", "APPCONFIG,h,a,w,x"):
        with pytest.raises(Invalid):
            commands.request_of(text)


def test_the_table_of_the_life_cycle_is_closed() -> None:
    assert set(lifecycle.TABLE) == set(State)
    for state in State:
        assert state not in lifecycle.TABLE[state], "a notification only on a real change"
        assert lifecycle.may_follow(state, State.FAILED) or state is State.FAILED
        assert lifecycle.may_follow(state, State.TERMINATED) or state is State.TERMINATED
    walk = [State.REQUESTED, State.INSTANTIATED, State.INITIALIZED, State.INSTALLED, State.RUNNING]
    for before, after in zip([State.UNDEFINED, *walk], walk, strict=False):
        assert lifecycle.advance(before, after) is after
    with pytest.raises(Invalid, match="requested cannot become running"):
        lifecycle.advance(State.REQUESTED, State.RUNNING)
    with pytest.raises(Invalid):
        lifecycle.state("dancing")


@pytest.mark.parametrize("text", ["", "-a", "a..b", "a b", "x" * 129, "a\n", "ä.org", "*", "a/b"])
def test_an_illegal_host_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        names.host(text)


@pytest.mark.parametrize("text", ["", "a.b", "a b", "x" * 41, "xyz\n", "{x}", "#"])
def test_an_illegal_slice_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        names.slice_name(text)


def test_hosts_are_lower_case_and_accounts_look_like_mail() -> None:
    assert names.host("Node1.Example.ORG") == "node1.example.org"
    assert names.account("me@example.com") == "me@example.com"
    assert names.plan("only10") == "only10"
    with pytest.raises(Invalid):
        names.account("me example")


slivers = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9_-]{0,30}", fullmatch=True).map(Slice), st.integers(0, 10**9)
)


@given(slivers)
def test_holdings_survive_their_pairs_and_the_digest_ignores_order(held: dict[Slice, int]) -> None:
    assert nodes.read_slivers(nodes.sliver_pairs(held) | {"hostname": "h"}) == held
    assert nodes.digest(dict(reversed(held.items()))) == nodes.digest(held)


def test_held_applications_survive_their_pairs() -> None:
    held = {
        APP: nodes.Held(4, "1.8-1", State.RUNNING, 2),
        Application("b"): nodes.Held(1, "", State.FAILED),
        Application("c"): nodes.Held(2, "1.9-1", State.RUNNING, digest="abc", configuration="def"),
    }
    assert nodes.read_applications(nodes.application_pairs(held)) == held
    with pytest.raises(Invalid):
        nodes.read_applications({"application.b": "x running 0 1"})


def test_the_digests_of_orders_survive_their_pairs_and_are_bounded() -> None:
    pairs = nodes.order_pairs({SLICE: "abc", Slice("b"): ""})
    assert nodes.read_orders(pairs | {"sliver.b": "1"}) == {SLICE: "abc"}
    assert nodes.read_orders({"order.b": "x" * 1_000}) == {"b": "x" * 64}


OTHER = Host("other.example.org")
STATUS = status_channel(SLICE, names.DEPLOYMENT_AGENT, HOST)
REQUEST = Channel("/org/dsmt/ns/deployment/xyz1/org.dsmt.component.deployment-agent/command/")


@pytest.mark.parametrize(
    ("user", "exchange", "channel", "may"),
    [
        ("planner", rights.ORDERS, command_channel(SLICE, names.DEPLOYMENT_AGENT, HOST), True),
        ("planner", rights.NODES, heartbeat_channel(HOST), False),
        ("node", rights.NODES, heartbeat_channel(HOST), True),
        ("node", rights.PSEPR, heartbeat_channel(HOST), False),
        ("node", rights.PSEPR, facts_channel(HOST), True),
        ("node", rights.PSEPR, STATUS, True),
        ("node", rights.ORDERS, command_channel(SLICE, names.DEPLOYMENT_AGENT, HOST), False),
        ("node", rights.PSEPR, REQUEST, False),
        ("node.planetlab5.nbgisp.com", rights.PSEPR, STATUS, True),
        ("node.other.example.org", rights.PSEPR, STATUS, False),
        ("node.other.example.org", rights.NODES, heartbeat_channel(HOST), False),
        ("agent.xyz1.planetlab5.nbgisp.com", rights.PSEPR, STATUS, True),
        ("agent.abc.planetlab5.nbgisp.com", rights.PSEPR, STATUS, False),
        ("agent.xyz1.planetlab5.nbgisp.com", rights.PSEPR, Channel("/com/example/pinger/"), False),
        # What an application says of itself, its agent did not say.
        ("sliver.xyz1.planetlab5.nbgisp.com", rights.PSEPR, STATUS, False),
        ("sliver.xyz1.planetlab5.nbgisp.com", rights.PSEPR, Channel("/com/example/pinger/"), True),
        ("sliver.xyz1", rights.PSEPR, Channel("/com/example/pinger/"), False),
        ("operator", rights.PSEPR, REQUEST, True),
        ("operator", rights.PSEPR, STATUS, False),
        ("operator", rights.ORDERS, REQUEST, False),
        ("slice.xyz1", rights.PSEPR, REQUEST, True),
        ("slice.abc", rights.PSEPR, REQUEST, False),
        ("stranger", rights.PSEPR, REQUEST, False),
        ("", rights.PSEPR, REQUEST, False),
    ],
)
def test_who_may_speak_where(user: str, exchange: str, channel: Channel, may: bool) -> None:  # noqa: FBT001
    assert rights.may_speak(user, exchange, channel) is may


def test_a_delivery_is_believed_only_when_all_four_agree() -> None:
    spoken = carried(order())
    good = rights.Arrival(rights.ORDERS, spoken.key, "planner")
    root = Channel("/org/dsmt/")
    assert rights.refusal(spoken, good, root) == ""
    for arrival, leased, reason in [
        (rights.Arrival(rights.ORDERS, "a.b", "planner"), root, "routing key"),
        (good, Channel("/com/"), "not under"),
        (rights.Arrival(rights.ORDERS, spoken.key, ""), root, "no user"),
        (rights.Arrival(rights.ORDERS, spoken.key, "node"), root, "may not speak"),
    ]:
        assert reason in rights.refusal(spoken, arrival, leased)


def test_an_event_is_written_as_one_plain_object() -> None:
    written = record(carried(order()))
    assert written["value"] == "APPCONFIG,planetlab5.nbgisp.com,XYZ,dsmtw_XYZ"
    assert written["pairs"]["generation"] == "3"
    assert "traceparent" not in written


def test_an_error_is_found_again_by_its_code() -> None:
    assert isinstance(errors.from_code("conflict", "in use"), errors.Conflict)
    assert type(errors.from_code("?", "odd", "hint")) is errors.DsmtError
