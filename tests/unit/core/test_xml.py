"""PsEPR XML: the form that the architecture guide prints, and what is written on the wire."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dsmt_core import wire
from dsmt_core.channels import Channel
from dsmt_core.errors import Full, Invalid
from dsmt_core.events import Event, Sender

# In the guide's form, its two slips (`d: `, `>hostname`) included.
CHAPTER = b"""<?xml version="1.0"?>
<!-- <event>not this one</event> -->
<chapter xmlns:h="http://www.w3.org/1999/xhtml">
  <eventList>
    <event>
      <channel>/org/dsmt/ns/deployment/xyz1/org.dsmt.component.sliver-mgr/status/</channel>
      <service>xyz1_mgr</service>
      <payload>http://psepr.org/ns/payload/attribute</payload>
      <field>d: deployment-status</field>
      <value>
        <avpairs>
          <av>>hostname=n1.example.org</av>
          <av>managed=org.dsmt.component.container</av>
          <av>status=requested</av>
        </avpairs>
      </value>
      <description>one host <code>only</code>
      </description>
    </event>
    <event><ev-description>Now the container is there.</ev-description></event>
    <event>
      <channel>/org/dsmt/ns/deployment/xyz1/org.dsmt.component.deployment-agent/command/</channel>
      <service>xyz1_mgr</service>
      <payload>http://psepr.org/xs/payload/attribute</payload>
      <field>status</field>
      <value>
        APPCONFIG,n1.example.org,XYZ,XYZ-proc
      </value>
    </event>
  </eventList>
</chapter>
"""


def event(**more: object) -> Event:
    return Sender("s", "i", "b").event(Channel("/a/"), "f", now=1.5, id_="i", **more)


def test_the_events_that_a_chapter_prints_are_read() -> None:
    first, second = wire.printed_events(CHAPTER)
    assert first.state == "requested"
    assert first.pairs["hostname"] == "n1.example.org"
    assert first.extra == {"description": "one host only"}
    assert (first.seq, first.sent_at, first.boot_id) == (1, 0, "")
    assert (second.field, second.value) == ("status", "APPCONFIG,n1.example.org,XYZ,XYZ-proc")
    assert second.seq == 2


def test_a_single_event_in_the_guides_form_is_read_from_the_wire() -> None:
    start, end = CHAPTER.index(b"<event>\n"), CHAPTER.index(b"</event>\n    <event><ev")
    read = wire.decode(CHAPTER[start:end] + b"</event>", wire.XML)
    assert read == wire.printed_events(CHAPTER)[0]
    for codec in (wire.MSGPACK, wire.XML):
        assert wire.decode(wire.encode(read, codec), codec) == read


if "DSMT_GUIDE" in os.environ:
    # Where a copy of the guide is at hand; it is not ours to carry along.

    def test_every_event_of_the_whole_guide_is_read() -> None:
        printed = wire.printed_events(Path(os.environ["DSMT_GUIDE"]).read_bytes())
        states = [spoken.state for spoken in printed if "planetlab5.nbgisp.com" in spoken.text]
        step = ["requested", "instantiated", "initialized", "running"]
        assert states == [*step, *step[:3], "installed", "running", "", *step]
        for spoken in printed:
            assert wire.decode(wire.encode(spoken, wire.XML), wire.XML) == spoken


def test_an_event_is_written_in_the_guides_form() -> None:
    written = wire.encode(
        event(pairs={"a=b": "c=d, <e>"}, value="x\r\n", to_service="t"), wire.XML
    ).decode()
    assert written == (
        '<event schema="1.0" seq="1" sent-at="1.5" ttl="60.0" expiry="90.0" emit-rate="0.0">'
        "<channel>/a/</channel><to><service>t</service></to><service>s</service><instance>i</instance>"
        "<boot-id>b</boot-id><id>i</id><payload>http://psepr.org/ns/payload/attribute</payload>"
        "<field>f</field><value><text>x&#13;\n</text>"
        "<avpairs><av>a\\=b=c=d, &lt;e&gt;</av></avpairs></value></event>"
    )


def test_the_example_of_the_reference_is_read() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "event.md").read_text()
    read = wire.decode(page.split("```xml\n")[1].split("```")[0].encode(), wire.XML)
    assert (read.to_service, read.seq, read.pairs) == ("monitor", 7, {"ms": "7.2"})
    assert read.extra == {"colour": "blue"}


def test_the_limit_of_a_body_holds_for_xml_too() -> None:
    with pytest.raises(Full):
        wire.encode(event(value="<" * (wire.BODY_BYTES // 4)), wire.XML)
    with pytest.raises(Invalid, match="above the limit"):
        wire.printed_events(b" " * (wire.BODY_BYTES + 1))


def test_who_speaks_msgpack_does_not_load_xml() -> None:
    program = (
        "import sys; from dsmt_core import wire; from dsmt_core.events import Sender;"
        "e = Sender('s', 'i', 'b').event('/a/', 'f', now=1.0, id_='i');"
        "wire.decode(wire.encode(e), wire.MSGPACK);"
        "sys.exit(any(name.split('.')[0] in {'xml', 'defusedxml', 'pyexpat'} for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
