"""What people publish through the planner's API, in their own name.

The instance names the account that the planner let in; the service is what the account says, and the
account itself unless it says another. Each event is a life of its own (boot id), for HTTP keeps no order
between two calls.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any, Final

from broker.bus import Bus
from dsmt_core.channels import channel
from dsmt_core.errors import Invalid
from dsmt_core.events import NAMES, Event
from dsmt_core.xml.reading import fields_of
from planner.authority.rights import Caller
from planner.authority.speaking import check_speaks
from planner.service.clock import SteadyClock
from planner.service.ledger import Ledger

_FILLED_IN: Final[dict[str, Any]] = {
    "service": "", "instance": "", "boot_id": "", "seq": 1, "id": "", "sent_at": 0.0,
}  # fmt: skip


class Speaking:
    """Publishes for accounts."""

    def __init__(self, bus: Bus, ledger: Ledger, clock: SteadyClock) -> None:
        self._bus = bus
        self._ledger = ledger
        self._clock = clock

    async def publish(self, caller: Caller, said: Event) -> Event:
        """Publish ``said`` in the name of ``caller``; returns the event when the broker has confirmed.

        Raises:
            Denied: the caller may not speak there.
            NotFound: there is no such slice to command.
            Invalid, Full: the event is not legal, or too large.
            Unavailable: the broker is away or did not confirm.
        """
        event = replace(
            said,
            channel=channel(said.channel),
            service=said.service or caller.account,
            instance=instance_of(caller),
            boot_id=secrets.token_hex(8),
            seq=1,
            id=secrets.token_hex(16),
            sent_at=self._clock(),
        )
        commanded = check_speaks(caller, event.channel)
        if commanded:
            self._ledger.slice(commanded)
        await self._bus.publish(event)
        return event


def instance_of(caller: Caller) -> str:
    """How an account is called among instances."""
    return f"account/{caller.account}"


def said_in_xml(text: str) -> Event:
    """The event in a document of PsEPR XML, in our form or in that of the architecture guide.

    What names and numbers the sender may be left out: it is filled in anyhow.

    Raises:
        Invalid: it is none, or holds several.
    """
    try:
        fields = fields_of(text.encode(errors="surrogatepass"))
    except Invalid as error:
        raise Invalid(
            f"the XML is not an event: {error.message}",
            hint=error.hint or "docs/reference/event.md shows one",
        ) from error
    if "channel" not in fields:
        raise Invalid(
            "the XML is not an event: it has no channel", hint="docs/reference/event.md shows one"
        )
    known = {name: value for name, value in fields.items() if name in NAMES}
    extra = {name: value for name, value in fields.items() if name not in NAMES}
    return Event(**{**_FILLED_IN, **known, "extra": extra})
