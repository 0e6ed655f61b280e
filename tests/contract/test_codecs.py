"""Both codecs travel beside one another; a reader takes what comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from broker.bus import Bus
from dsmt_core.errors import Invalid
from dsmt_core.events import Event
from dsmt_core.rights import PSEPR
from dsmt_core.wire import CONTENT_TYPES, XML
from tests.contract.terms import PINGER, Make, heard

if TYPE_CHECKING:
    from tests.contract.conftest import Place

GUIDE_FORM = b"""<event>
  <channel>/com/example/pinger/</channel><service>pinger</service>
  <field>round-trip</field><value> <avpairs> <av>ms=7</av> </avpairs> </value>
</event>"""


async def test_an_event_in_either_codec_is_heard_as_it_was_said(planner: Bus, make: Make) -> None:
    said = [make(PINGER, pairs={"ms": f"<{n}>"}) for n in range(4)]
    async with planner.lease(PINGER) as lease:
        for number, event in enumerate(said):
            await planner.publish(event, content_type=CONTENT_TYPES[number % 2])
        assert [(await heard(lease)).event for _ in said] == said


async def test_an_event_as_the_guide_prints_it_is_heard(place: Place, planner: Bus) -> None:
    async with planner.lease(PINGER) as lease:
        await place.inject("planner", (PSEPR, "com.example.pinger"), GUIDE_FORM, XML)
        event = (await heard(lease)).event
    assert (event.service, event.field, event.pairs) == ("pinger", "round-trip", {"ms": "7"})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda make: make(PINGER, value="\x00"),
        lambda make: make(PINGER, value="\ud800"),
        lambda make: make(PINGER, seq=0),
        lambda make: make(PINGER, traceparent="x"),
    ],
)
async def test_what_is_not_legal_is_told_to_its_sender(
    planner: Bus, make: Make, spoil: Callable[[Make], Event]
) -> None:
    with pytest.raises(Invalid):
        await planner.publish(spoil(make))


async def test_a_codec_that_nobody_knows_is_told_to_its_sender(planner: Bus, make: Make) -> None:
    with pytest.raises(Invalid, match="no codec"):
        await planner.publish(make(PINGER), content_type="text/plain")
