"""What can be asked of the planner about the event service: services, channels, and to publish."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import cast
from urllib.parse import urlencode

from dsmt_core.errors import Unavailable
from dsmtc.client.caller import Caller
from dsmtc.client.heard import Bus, Channels, EventRecord, Lost, Services
from dsmtc.client.shape import fault, read_json


class PsEPR(Caller):
    """The event service, as the planner sees it."""

    def services(self) -> Services:
        """Every service, as far as the caller may hear it."""
        return self.call("GET", "/v1/services", shape=Services)

    def channels(self, below: str = "/") -> Channels:
        """Every channel at or below ``below``, as far as the caller may hear it."""
        return self.call("GET", f"/v1/channels?{urlencode({'below': below})}", shape=Channels)

    def publish(self, said: Mapping[str, object]) -> EventRecord:
        """Publish one event in the caller's name.

        Args:
            said: ``channel``, ``field``, ``value``, ``pairs``, ``payload``, ``service``, ``to_service``,
                ``to_instance``, and in seconds ``ttl``, ``expiry``, ``emit_rate``; or ``xml`` alone.

        Returns:
            The event as it was sent.

        Raises:
            Invalid, Full: it is not legal, or too large.
            Denied: the caller may not speak there.
        """
        return self.call("POST", "/v1/events", dict(said), shape=EventRecord)

    def events(
        self,
        filters: Mapping[str, str],
        *,
        count: int = 0,
        until: float | None = None,
        opened: Callable[[], None] = lambda: None,
    ) -> Iterator[EventRecord | Lost]:
        """The last events; those that come; the history; or what holds now.

        A follower that is too slow is told in between how many it lost.

        Args:
            filters: ``channel``, ``type``, ``service``, ``state``, ``field``; ``since`` or ``snapshot=1``;
                ``follow=1``.
            count: end after so many; 0: no limit.
            until: on the monotonic clock.
            opened: called when the planner has begun to answer.

        Raises:
            Unavailable: the planner ended a followed stream; the hint says from where to go on.
            DeadlinePassed: ``until`` came.
        """
        query = {name: value for name, value in filters.items() if value}
        if count:
            query["count"] = str(count)
        path = f"/v1/events?{urlencode(query)}"
        self.freshen()
        heard = 0
        last: int | None = None
        try:
            with contextlib.closing(self._lines(path, until, opened)) as lines:
                for line in lines:
                    event = self._event(line)
                    yield event
                    if "lost" not in event:
                        heard, last = heard + 1, event.get("offset", last)
                    if count and heard >= count:
                        return
        except Unavailable as error:
            raise Unavailable(error.message, hint=_onwards(last) if heard else error.hint) from error
        if filters.get("follow"):
            self.still_known()
            raise Unavailable(
                f"the planner at {self.transport.url} ended the stream of events", hint=_onwards(last)
            )

    def broker(self, slice_: str = "") -> str:
        """The URL with which an operator's program connects to PsEPR, or one of a slice's members."""
        query = f"?{urlencode({'slice': slice_})}" if slice_ else ""
        return self.call("GET", f"/v1/bus{query}", shape=Bus)["broker"]

    def _lines(self, path: str, until: float | None, opened: Callable[[], None]) -> Generator[bytes]:
        return self.transport.lines(path, token=self.token, until=until, opened=opened)

    def _event(self, line: bytes) -> EventRecord | Lost:
        read = read_json(line)
        form = Lost if isinstance(read, dict) and "lost" in read else EventRecord
        if wrong := fault(read, form):
            raise self.transport.stranger(f"GET /v1/events: {wrong}")
        return cast("EventRecord | Lost", read)


def _onwards(last: int | None) -> str:
    """How to go on after a stream that broke off."""
    if last is None:
        return "follow again; what was published meanwhile is not repeated without --since"
    return f"--since {last + 1} goes on behind the last one that was shown"
