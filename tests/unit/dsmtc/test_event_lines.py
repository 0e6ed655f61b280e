"""Events in one line: for people, on a terminal, and as PsEPR XML."""

from __future__ import annotations

import re
from typing import Any, cast

from hypothesis import given

from dsmt_core.channels import Channel
from dsmt_core.events import Event, Sender
from dsmt_core.journal import record
from dsmt_core.wire import XML, decode
from dsmtc.client import EventRecord
from dsmtc.rendering.events import event_line, event_xml
from dsmtc.rendering.terminal import coloured
from tests.unit.core.legal_events import events

SENDER = Sender("s1_mgr", "h/agent", "b")
STATUS = SENDER.event(
    Channel("/a/"), "deployment-status", now=5.0, id_="i", pairs={"managed": "m", "status": "failed"}
)


def line_of(event: Event, **beside: Any) -> EventRecord:
    return cast("EventRecord", record(event) | beside)


def plain(event: Event, **beside: Any) -> str:
    return " ".join(piece.text for piece in event_line(line_of(event, **beside), str))


def test_people_read_time_channel_field_and_value() -> None:
    assert plain(STATUS) == "5.0 /a/ deployment-status managed=m,status=failed"
    assert plain(STATUS, offset=7) == "5.0 #7 /a/ deployment-status managed=m,status=failed"
    assert plain(STATUS, snapshot=True).startswith("5.0 holds /a/ ")
    assert "4 events were lost" in event_line({"lost": 4}, str)[0].text


def test_a_terminal_colours_states_and_shows_what_it_must_not_obey() -> None:
    drawn = coloured(event_line(line_of(STATUS), str))
    assert drawn.plain == plain(STATUS)
    assert "bold red" in {str(span.style) for span in drawn.spans}
    hostile = SENDER.event(Channel("/a/"), "f", now=5.0, id_="i", value="\x9b31m\u202ex")
    assert coloured(event_line(line_of(hostile), str)).plain == "5.0 /a/ f \\x9b31m\\u202ex"


@given(events())
def test_xml_is_the_whole_event_in_one_harmless_line(event: Event) -> None:
    line = event_xml(line_of(event, offset=3))
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", line)
    assert decode(line.encode(), XML) == event
