"""Publishing, the catalogue and silences, over the API of the real planner on the broker in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import broker
from dsmt_core.channels import Channel
from dsmt_core.events import Event
from planner.config import PlannerConfig
from planner.service.planner import Planner
from tests.unit.planner_act.conftest import Api, LogIn, StartNode, until

PINGER = "/com/example/pinger/"
COMMAND = "/org/dsmt/ns/deployment/s1/org.dsmt.component.deployment-agent/command/"


class Ear:
    """Hears all that is said on the broker."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def wait(self, field: str, count: int = 1) -> list[Event]:
        async def there() -> bool:
            return len(self.of(field)) >= count

        await until(there, 20)
        return self.of(field)

    def of(self, field: str) -> list[Event]:
        return [event for event in self.events if event.field == field]


@pytest.fixture
async def ear(planner: Planner, config: PlannerConfig) -> Any:
    bus = broker.connect(config.operator_broker, name="ear")
    await bus.start(wait_s=5)
    made, ready = Ear(), asyncio.Event()

    async def hear() -> None:
        async with bus.lease() as deliveries:
            ready.set()
            async for delivery in deliveries:
                made.events.append(delivery.event)

    task = asyncio.create_task(hear())
    await ready.wait()
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await bus.close()


@pytest.fixture
async def user(api: Api, log_in: LogIn) -> Api:
    await api("POST", "/accounts", {"account": "u@example.com", "password": "another secret"})
    return await log_in("u@example.com", "another secret")


async def test_an_account_speaks_in_its_own_name(user: Api, ear: Ear) -> None:
    body = {"channel": PINGER, "field": "round-trip", "pairs": {"ms": "7"}, "service": "pinger", "ttl": 5}
    answer = await user("POST", "/events", body)
    (event,) = await ear.wait("round-trip")
    assert (event.service, event.instance) == ("pinger", "account/u@example.com")
    assert (event.pairs, event.ttl, event.id) == ({"ms": "7"}, 5, answer["id"])
    await user("POST", "/events", {"channel": PINGER[:-1], "field": "round-trip", "value": "x"})
    assert (await ear.wait("round-trip", 2))[1].service == "u@example.com"


async def test_xml_is_published_in_the_name_of_who_sends_it(user: Api, ear: Ear) -> None:
    xml = f"""<event><channel>{PINGER}</channel><service>pinger</service><instance>forged</instance>
      <payload>http://psepr.org/xs/payload/attribute</payload><field>colour</field>
      <value>blue</value></event>"""
    await user("POST", "/events", {"xml": xml})
    (event,) = await ear.wait("colour")
    assert (event.value, event.service, event.instance) == ("blue", "pinger", "account/u@example.com")


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"channel": "nonsense"}, 422, "does not begin with /"),
        ({"channel": "/com/#/"}, 422, "wildcard"),
        ({"channel": "/com/" + "x" * 300}, 422, "too long for a routing key"),
        ({"channel": PINGER, "value": "\x00"}, 422, "not legal in an event"),
        ({"channel": PINGER, "ttl": -1}, 422, "ttl"),
        ({"channel": PINGER, "to_instance": "i"}, 422, "narrowed to an instance"),
        ({"channel": PINGER, "unknown": 1}, 422, "unknown"),
        ({"field": "round-trip"}, 422, "needs a channel"),
        ({"xml": "<event/>", "channel": PINGER}, 422, "not both"),
        ({"xml": "<event"}, 422, "the XML is not an event"),
        ({"channel": "/org/dsmt/ns/psepr/silence/"}, 403, "the parts of DSMT speak"),
        ({"channel": "/org/dsmt/"}, 403, "the parts of DSMT speak"),
        ({"channel": COMMAND.replace("command", "status") + "n1/"}, 403, "the parts of DSMT speak"),
        ({"channel": COMMAND}, 403, "may not change this slice"),
    ],
)
async def test_what_cannot_be_published_says_why(
    user: Api, body: dict[str, Any], status: int, said: str
) -> None:
    refused, message, _ = await user.refused("POST", "/events", body)
    assert (refused, said in message) == (status, True), message


async def test_too_much_for_an_event_is_full(user: Api) -> None:
    body = {"channel": PINGER, "pairs": {str(number): "x" * 60_000 for number in range(20)}}
    assert (await user.refused("POST", "/events", body))[0] == 507
    # What the request may hold, the event may not: a name for each pair comes on top.
    fits = {"channel": PINGER, "value": "\N{EURO SIGN}" * 349_490}
    assert (await user.refused("POST", "/events", fits))[0] == 507


async def test_a_command_of_a_slice_becomes_a_request(api: Api, ear: Ear) -> None:
    status, message, _ = await api.refused("POST", "/events", {"channel": COMMAND, "field": "status"})
    assert (status, "s1" in message) == (404, True)
    await api("POST", "/slices", {"slice": "s1"})
    command = {"channel": COMMAND, "field": "status", "value": "APPCONFIG,n1.example.org,nothing"}
    await api("POST", "/events", command)
    (refused,) = await ear.wait("request-refused")
    assert refused.pairs["request"] == command["value"]


async def test_a_service_that_breaks_its_description_is_told_of_once(user: Api, ear: Ear) -> None:
    described = {"text": "times", "channel.1": PINGER, "field.1": "round-trip"}
    body = {"channel": PINGER, "service": "pinger", "field": "service-description", "pairs": described}
    await user("POST", "/events", body)
    for _ in range(3):
        await user("POST", "/events", {"channel": "/com/example/x/", "field": "y", "service": "pinger"})
    (broken,) = await ear.wait("description-broken")
    assert broken.pairs["status"] == "raised"
    assert broken.pairs["reason"] == "it did not describe this channel"
    shown = await user("GET", "/services")
    (breach,) = shown["breaches"]
    assert (breach["service"], breach["kind"], breach["channel"]) == (
        "pinger", "undescribed", "/com/example/x/",
    )  # fmt: skip
    (pinger,) = [one for one in shown["services"] if one["service"] == "pinger"]
    assert (pinger["text"], pinger["described"]) == ("times", True)
    assert len(ear.of("description-broken")) == 1


async def test_what_falls_silent_is_raised_and_cleared_and_shown(user: Api, ear: Ear) -> None:
    said = {"channel": PINGER, "field": "round-trip", "service": "pinger", "emit_rate": 0.5}
    await user("POST", "/events", said)
    (silent,) = await ear.wait("silent")
    assert silent.channel == "/org/dsmt/ns/psepr/silence/"
    assert silent.pairs["status"] == "raised"
    assert (silent.pairs["channel"], silent.pairs["service"]) == (PINGER, "pinger")
    shown = await user("GET", f"/channels?below={PINGER}")
    assert [each["field"] for each in shown["silences"]] == ["round-trip"]
    assert shown["channels"][0]["silent"] == 1
    await user("POST", "/events", {**said, "emit_rate": 1000})
    cleared = (await ear.wait("silent", 2))[1]
    assert cleared.pairs["status"] == "cleared"
    assert (await user("GET", f"/channels?below={PINGER}"))["silences"] == []


async def test_what_is_of_a_slice_is_shown_to_who_may_look_into_it(
    api: Api, user: Api, ear: Ear, start_node: StartNode
) -> None:
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    node = await start_node("n1.example.org")
    node.slivers = {"s1": 1}  # type: ignore[dict-item]
    await node.hold()
    channel = COMMAND.replace("command", "status") + "n1.example.org/"
    await node.say(Channel(channel), "holdings", hostname="n1.example.org", slice="s1")

    async def said() -> bool:
        return any(event.pairs["slice"] == "s1" for event in ear.of("silent"))

    await until(said, 20)
    (silent,) = [event for event in ear.of("silent") if event.pairs["slice"] == "s1"]
    assert silent.channel == "/org/dsmt/ns/deployment/s1/org.dsmt.component.planner/status/"
    assert [one["field"] for one in (await api("GET", "/slices/s1/status"))["silences"]] == ["holdings"]
    assert channel in {one["channel"] for one in (await api("GET", "/channels"))["channels"]}
    assert channel not in {one["channel"] for one in (await user("GET", "/channels"))["channels"]}
    await api("DELETE", "/slices/s1/manage")
    await until(lambda: cleared(ear, "it has ended"), 20)


async def cleared(ear: Ear, reason: str) -> bool:
    told = ear.of("silent")
    return any((event.pairs["status"], event.pairs["reason"]) == ("cleared", reason) for event in told)


async def test_in_a_window_nothing_on_the_node_is_silent(api: Api, ear: Ear, start_node: StartNode) -> None:
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    node = await start_node("n1.example.org")
    node.slivers = {"s1": 1}  # type: ignore[dict-item]
    await node.hold()
    channel = COMMAND.replace("command", "status") + "n1.example.org/"
    await node.say(Channel(channel), "holdings", hostname="n1.example.org", slice="s1")
    await ear.wait("silent")
    now = datetime.now(UTC) - timedelta(minutes=5)
    window = {"begins": now.isoformat(), "lasts_s": 3600.0}
    await api("POST", "/standings/window", {"hosts": ["n1.example.org"], "window": window})
    await until(lambda: cleared(ear, "people work on its node"), 20)
    assert (await api("GET", "/slices/s1/status")).get("silences", []) == []


async def test_the_planner_tells_its_own_health(api: Api, ear: Ear, planner: Planner) -> None:
    told = planner.observing.catalogue.rows
    await until_health(told)
    await api("POST", "/slices", {"slice": "s1"})
    shown = (await api("GET", "/slices/s1/status"))["planner"]
    assert (shown["link"], shown["dropped"], shown["lost"]) == ("connected", 0, 0)


async def until_health(rows: Any) -> None:
    async def there() -> bool:
        return any("health" in row.fields for row in rows)

    await until(there, 20)
