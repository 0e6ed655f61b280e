"""Hearing which connections end, from RabbitMQ's own events; see `broker.endings`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from types import TracebackType
from typing import Any, Final

from broker.endings import CLOSED, EXCHANGE, MOST, Ended, Heard
from broker.rabbit.acks import Acks
from broker.rabbit.channel import Channel
from broker.rabbit.reader import Owner, Reader, placed
from dsmt_core.channels import ROOT
from dsmt_core.errors import Denied, DsmtError, NotFound

# A queue of its connection alone, which goes with it: what ended while nobody listened is no news.
_ARGUMENTS: Final = {"x-max-length": MOST, "x-max-length-bytes": 16 << 20, "x-overflow": "drop-head"}
_PREFETCH: Final = 500
_LONGEST: Final = 200


class Listening(Reader):
    """The subscription, set up again with each connection.

    Args:
        owner: its bus.
        heard: takes what it hears.
    """

    def __init__(self, owner: Owner, heard: Heard) -> None:
        super().__init__(owner, under=ROOT, prefetch=_PREFETCH, buffer=1)
        self._heard = heard

    async def set_up(self, channel: Channel) -> str:
        """Make a queue that the broker names, and bind it.

        Raises:
            Denied: the broker does not say which connections end, or not to this user.
        """
        declare = partial(
            channel.raw.queue_declare, "", exclusive=True, auto_delete=True, arguments=_ARGUMENTS
        )
        made = await channel.request(partial(_called, declare), "declaring a queue for hints")
        queue = str(made.method.queue)
        bind = partial(channel.raw.queue_bind, queue, EXCHANGE, CLOSED)
        try:
            await channel.request(partial(_called, bind), "binding a queue for hints")
        except NotFound as error:
            raise Denied(
                "this broker does not tell which connections end",
                hint="rabbitmq-plugins enable rabbitmq_event_exchange, with the planner's virtual host as "
                "event_exchange.vhost",
            ) from error
        return queue

    def _deliver(self, acks: Acks, _raw: Any, method: Any, properties: Any, _body: bytes) -> None:
        acks.done(method.delivery_tag)
        name = (properties.headers or {}).get("user_provided_name")
        self._heard.put(Ended(name[:_LONGEST] if isinstance(name, str) else ""))

    def _give_up(self, error: DsmtError) -> None:
        super()._give_up(error)
        self._heard.end(error)


class Endings:
    """See `broker.bus.Bus.endings`."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._heard = Heard()
        self._listening = Listening(owner, self._heard)

    async def __aenter__(self) -> AsyncIterator[Ended]:
        await self._listening.__aenter__()
        try:
            await placed(self._listening, self._owner.limits.confirm_s)
        except BaseException:
            await self._listening.close()
            raise
        return self._heard

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._listening.close()


def _called(request: Callable[..., Any], callback: Any) -> None:
    request(callback=callback)
