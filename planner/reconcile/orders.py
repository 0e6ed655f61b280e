"""The orders about a slice, each with a digest of what it asks for.

Whoever follows an order says its generation and its digest. The same generation with another digest can
only be told by one who follows an order that this planner does not know: its database was restored from
an older copy, and the number was given away twice. Only the planner makes digests, so that another
version of it, which may write them otherwise, orders once anew and is understood from then on.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

from dsmt_core.commands import RUNS, Order, Verb
from dsmt_core.configuration import NONE
from dsmt_core.limits import NO_LIMITS
from dsmt_core.names import Application, Host, Slice, wrapper_of
from dsmt_core.watch import USUAL
from planner.release import ReleaseName
from planner.rollout.releases import release_of
from planner.vouched import of_sliver, vouching
from planner.wanted import Placement, Run, WantedSlice

_HEX: Final = 16


def creation(slice_: WantedSlice, host: Host) -> Order:
    """The order for the sliver of a host of the slice."""
    return Order(
        verb=Verb.CREATE,
        host=host,
        slice=slice_.name,
        generation=slice_.hosts[host],
        agent=slice_.agent,
        limits=slice_.limits,
        agent_package=slice_.agent_package,
        digest=creation_digest(slice_),
        life=slice_.life,
        vouching=vouching(slice_, of_sliver(slice_)),
    )


def deletion(slice_: Slice, host: Host, generation: int) -> Order:
    """The order that ends a sliver."""
    return Order(verb=Verb.DELETE, host=host, slice=slice_, generation=generation, digest=DELETION)


def placed(slice_: WantedSlice, placement: Placement, verb: Verb) -> Order:
    """The order for an application: the verb says best what changes, the rest all that is wanted."""
    wanted = slice_.applications[placement.application]
    release = release_of(slice_, placement.application, placement.release)
    return _digested(
        Order(
            verb=verb,
            host=placement.host,
            slice=slice_.name,
            generation=placement.generation,
            application=placement.application,
            wrapper=wanted.wrapper,
            version=placement.version,
            packages=release.packages,
            restarts=placement.restarts,
            status_period=slice_.status_period,
            agent=slice_.agent,
            configuration=release.configuration,
            watch=wanted.watch,
            vouching=vouching(slice_, release.packages),
        )
    )


def removal(slice_: WantedSlice, host: Host, application: Application) -> Order:
    """The order that takes away an application that the slice does not have any more."""
    return Order(
        verb=Verb.UNINSTALL,
        host=host,
        slice=slice_.name,
        generation=slice_.generation,
        application=application,
        wrapper=wrapper_of(application),
        agent=slice_.agent,
        digest=REMOVAL,
    )


class Digests:
    """The digests of the orders about the applications of one slice: alike on most hosts, so made once."""

    def __init__(self, slice_: WantedSlice) -> None:
        self._slice = slice_
        self._known: dict[tuple[Application, ReleaseName, Run, int], str] = {}

    def of(self, placement: Placement) -> str:
        """The digest of the order for a placement."""
        key = placement.application, placement.release, placement.run, placement.restarts
        digest = self._known.get(key)
        if digest is None:
            verb = Verb.APPCONFIG if placement.run is Run.RUNNING else Verb.STOP
            digest = self._known[key] = placed(self._slice, placement, verb).digest
        return digest


def creation_digest(slice_: WantedSlice) -> str:
    """The digest of the order for a sliver, which is the same on all hosts."""
    # Without limits, and with the default agent, it is that of planners which knew of no others.
    more = [slice_.limits.text] if slice_.limits != NO_LIMITS else []
    if slice_.agent_package is not None:
        more.append(slice_.agent_package.text)
    if packages := of_sliver(slice_):
        more += vouching(slice_, packages).pairs.values()
    return _digest("there", slice_.agent, *more)


def _digested(order: Order) -> Order:
    goal = "run" if order.verb in RUNS else "rest"
    packages = map(str, order.packages)
    words = [goal, order.application, order.version, str(order.restarts), *packages]
    # Without a configuration, and watched as usual, the digest is that of planners which knew of neither:
    # their orders still count.
    words += [order.configuration.text] if order.configuration != NONE else []
    words += [f"watch {order.watch.text}"] if order.watch != USUAL else []
    # Another publisher is another order: what is still to be installed is looked at anew.
    words += order.vouching.pairs.values()
    return replace(order, digest=_digest(*words))


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:_HEX]


DELETION: Final = _digest("not there")
REMOVAL: Final = _digest("gone")
