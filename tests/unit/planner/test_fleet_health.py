"""What is not well with a process is what grew lately; a new life begins with nothing."""

from __future__ import annotations

from dsmt_core.channels import Channel, facts_channel, status_channel
from dsmt_core.events import DEPLOYMENT_STATUS, Event, Sender
from dsmt_core.health import HEALTH, Condition, health_pairs
from dsmt_core.names import DEPLOYMENT_AGENT, SLIVER_MGR, Host, Slice
from planner.fleet import NODE, Fleet
from planner.fleet.health import RECENT_S

N1, XYZ1 = Host("n1"), Slice("xyz1")
AGENT = status_channel(XYZ1, DEPLOYMENT_AGENT, N1)


class Process:
    """Tells its health."""

    def __init__(self, channel: Channel, boot_id: str = "b") -> None:
        self.channel = channel
        self.sender = Sender("s", channel, boot_id)

    def tells(self, **condition: object) -> Event:
        pairs = health_pairs(Condition(**condition))  # type: ignore[arg-type]
        return self.sender.event(self.channel, HEALTH, now=1.0, id_="1", pairs=pairs)


def fleet() -> Fleet:
    made = Fleet()
    made.join(N1, now=0)
    return made


def test_what_grew_lately_is_not_well_and_rests_after_a_while() -> None:
    seen, node = fleet(), Process(facts_channel(N1))
    assert seen.fold(node.tells(connects=1, dropped=4), now=0) == ""
    assert seen.healths.unwell(NODE, N1, 1) == []
    seen.fold(node.tells(connects=2, dropped=7), now=10)
    seen.fold(node.tells(connects=3, dropped=8), now=20)
    told = seen.healths.unwell(NODE, N1, 21)
    assert told == ["2 reconnections to the broker", "4 events dropped while the broker was away"]
    assert seen.healths.unwell(NODE, N1, 21 + RECENT_S) == []
    shown = seen.healths.shown(NODE, N1)
    assert shown is not None
    assert (shown["dropped"], shown["heard_at"]) == (8, 20)


def test_a_late_loop_and_a_blocked_link_are_not_well() -> None:
    seen, node = fleet(), Process(facts_channel(N1))
    seen.fold(node.tells(link="blocked", lag_s=2.5), now=0)
    assert seen.healths.unwell(NODE, N1, 1) == [
        "its link to the broker is blocked",
        "its event loop was 2.5 s late",
    ]


def test_a_new_life_begins_with_nothing() -> None:
    seen = fleet()
    first, second = Process(facts_channel(N1)), Process(facts_channel(N1), "c")
    seen.fold(first.tells(lost=1), now=0)
    seen.fold(first.tells(lost=9), now=1)
    seen.fold(second.tells(lost=0), now=2)
    assert seen.healths.unwell(NODE, N1, 3) == []


def test_health_is_kept_for_what_is_known_and_goes_with_it() -> None:
    seen, agent = fleet(), Process(AGENT)
    assert "nothing that is known" in seen.fold(agent.tells(), now=0)
    assert "nothing that is known" in seen.fold(
        Process(status_channel(XYZ1, SLIVER_MGR, N1)).tells(), now=0
    )
    running = {"managed": "x", "status": "running"}
    boot = Sender("s", "mgr", "b")
    channel = status_channel(XYZ1, SLIVER_MGR, N1)
    seen.fold(boot.event(channel, DEPLOYMENT_STATUS, now=1.0, id_="1", pairs=running), now=0)
    assert seen.fold(agent.tells(), now=0) == ""
    seen.take_dirty()
    seen.take_rows()
    assert seen.fold(agent.tells(lost=1), now=1) == ""
    # It wakes no round and writes no row.
    assert not seen.take_dirty()
    assert seen.take_rows() == []
    assert seen.healths.unwell(XYZ1, N1, 2) == ["1 deliveries lost by slow reading"]
    seen.fold(Process(facts_channel(N1)).tells(), now=1)
    seen.forget(N1)
    assert seen.healths.shown(XYZ1, N1) is None
    assert seen.healths.shown(NODE, N1) is None


def test_an_odd_health_changes_nothing() -> None:
    seen, node = fleet(), Process(facts_channel(N1))
    odd = node.sender.event(node.channel, HEALTH, now=1.0, id_="1", pairs={"lag": "late"})
    assert "not a number" in seen.fold(odd, now=0)
    assert seen.healths.shown(NODE, N1) is None
