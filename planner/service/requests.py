"""Requests: commands in the guide's form that somebody published; they become wanted, or are refused.

Agents obey the planner only. `APPCONFIG,HOST,APPLICATION,WRAPPER` and the like on
`…/org.dsmt.component.deployment-agent/command/` are asked of the planner, which changes wanted as the same
verb over HTTP would. A refusal is published, so that whoever asked can hear why.

The plan decides where applications are. So a request for a host is served when the application is placed
there; and when no plan, or the function ``nodes``, is in force, APPCONFIG adds the host to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from broker.bus import Delivery
from dsmt_core.channels import Channel, component_channel
from dsmt_core.commands import Request, Verb, request_of
from dsmt_core.errors import Conflict, DsmtError, Invalid
from dsmt_core.names import PLANNER, Host, PlanName, Slice, slice_name
from planner.audit.act import DONE, Act, acting
from planner.catalogue.parts import REQUEST_REFUSED
from planner.service.applications import Applications, Asked
from planner.service.audit import Audit
from planner.service.ledger import Ledger
from planner.service.plans import Plans
from planner.wanted import NO_PLAN, WantedSlice

_WAITING: Final = 1_000
_NODES: Final = PlanName("nodes")
# What a verb of the event service is over HTTP.
_VERBS: Final = {Verb.APPCONFIG: Verb.START}
_log = structlog.get_logger(__name__)

Tell = Callable[[Slice, Channel, str, dict[str, str]], Awaitable[None]]


class Requests:
    """Serves requests one after the other.

    Args:
        ledger: what is wanted.
        plans, applications: what changes it.
        tell: publishes an event of the planner: slice, channel, field, pairs.
        audit: every request is an act.
    """

    def __init__(
        self, ledger: Ledger, plans: Plans, applications: Applications, *, tell: Tell, audit: Audit
    ) -> None:
        self._ledger = ledger
        self._plans = plans
        self._applications = applications
        self._tell = tell
        self._audit = audit
        self._waiting: asyncio.Queue[Delivery] = asyncio.Queue(_WAITING)

    def offer(self, delivery: Delivery) -> bool:
        """Take a request; it is acknowledged when it has been served. False when too many wait."""
        try:
            self._waiting.put_nowait(delivery)
        except asyncio.QueueFull:
            _log.warning("a request is dropped: too many wait", channel=delivery.event.channel)
            return False
        return True

    async def serve(self) -> None:
        """Serve, for ever."""
        while True:
            delivery = await self._waiting.get()
            act = _act_of(delivery)
            try:
                with acting(act):
                    await self._serve(delivery)
                await self._audit.settle(act, DONE)
            except DsmtError as error:
                await self._refuse(delivery, act, error)
            except Exception:  # noqa: BLE001 - see below
                # Acknowledged all the same: it would only do the same again.
                _log.exception("a request failed", channel=delivery.event.channel)
            delivery.ack()

    async def _serve(self, delivery: Delivery) -> None:
        event = delivery.event
        slice_ = _slice_of(event.channel)
        request = request_of(event.text)
        wanted = self._ledger.slice(slice_)
        if not wanted.managed:
            raise Conflict(f"the slice {slice_} is not managed", hint=f"dsmtc manage --slice {slice_}")
        if request.verb is Verb.APPCONFIG and request.host not in wanted.hosts:
            await self._add_host(wanted, request.host)
            if request.application in wanted.applications:
                # The next round places it there; starting it is what a placement means.
                return
        await self._turn(slice_, request)

    async def _turn(self, slice_: Slice, request: Request) -> None:
        verb = _VERBS.get(request.verb, request.verb)
        hosts: tuple[Host, ...] = (request.host,)
        if verb in {Verb.UPDATE, Verb.UNINSTALL}:
            self._check_only_host(slice_, request)
            hosts = ()
        await self._applications.ask(slice_, verb, Asked(application=request.application, hosts=hosts))

    def _check_only_host(self, slice_: Slice, request: Request) -> None:
        placed = {
            one.host
            for one in self._ledger.slice(slice_).placements
            if one.application == request.application
        }
        if placed - {request.host}:
            raise Conflict(
                f"{request.verb} is about every host of {slice_}, not {request.host} alone",
                hint=f"dsmtc {request.verb.lower()} {request.application} --slice {slice_}",
            )

    async def _add_host(self, wanted: WantedSlice, host: Host) -> None:
        parameters = dict(wanted.plan_parameters)
        if wanted.plan == NO_PLAN:
            parameters = {}
        elif wanted.plan != _NODES:
            raise Conflict(
                f"{host} is not among the hosts that the plan {wanted.plan} of {wanted.name} selects",
                hint="put another plan in force: dsmtc setplan",
            )
        name = "hosts" if "hosts" in parameters else "list"
        parameters[name] = ",".join(filter(None, [parameters.get(name, ""), host]))
        await self._plans.put_in_force(wanted.name, _NODES, parameters)

    async def _refuse(self, delivery: Delivery, act: Act, error: DsmtError) -> None:
        event = delivery.event
        _log.warning(
            "a request is refused", channel=event.channel, user=delivery.user_id, reason=str(error)
        )
        pairs = {"request": event.text[:200], "reason": error.message, "hint": error.hint}
        try:
            await self._audit.settle(act, f"refused: {error.message}")
            slice_ = _slice_of(event.channel)
            channel = Channel(f"{component_channel(slice_, PLANNER)}status/")
            await self._tell(slice_, channel, REQUEST_REFUSED, pairs)
        except DsmtError as untold:
            _log.warning("a refusal could not be published", reason=str(untold))


def _act_of(delivery: Delivery) -> Act:
    """The request as an act; who it is says the broker, which let it in."""
    event = delivery.event
    slice_ = event.channel.split("/")[5:6]
    act = Act("bus.request", f"broker user {delivery.user_id or 'unknown'}", slice=(slice_ or [""])[0][:80])
    act.about = f"slice/{act.slice}" if act.slice else ""
    act.by(event.instance[:200], "")
    act.note({"request": event.text[:200]})
    return act


def _slice_of(channel: Channel) -> Slice:
    words = channel.split("/")
    if len(words) < 6:
        raise Invalid(f"{channel} is not a channel of a slice")
    return slice_name(words[5])
