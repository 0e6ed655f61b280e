"""How each kind of event changes what is seen: one function a kind.

Each raises `Invalid` and changes nothing when the event is odd, and tells whether it was news.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

from dsmt_core.channels import DEPLOYMENT, NODE, Channel
from dsmt_core.container import CONTAINER_STATUS
from dsmt_core.container import FIELDS as CONTAINER_FIELDS
from dsmt_core.errors import Invalid
from dsmt_core.events import DEPLOYMENT_STATUS, STATUS, Event
from dsmt_core.lifecycle import State, state
from dsmt_core.names import (
    DEPLOYMENT_AGENT,
    SLIVER_BOOTSTRAP,
    SLIVER_MGR,
    Host,
    Slice,
    application,
)
from dsmt_core.nodes import (
    FACTS,
    GAVE_UP,
    HOLDINGS,
    Held,
    read_applications,
    read_gone,
    read_orders,
    read_slivers,
)
from planner.fleet.seen import ApplicationSeen, NodeSeen, SliverSeen
from planner.release import release_name

ASKS: Final = "asks"
# Facts and texts come from machines that may be sick; what is kept of them is bounded.
_FACTS: Final = 100
# A node and its slivers speak on some channels, again and again.
_REMEMBERED: Final = 1 << 17
_TEXT: Final = 1_000
_DIGEST: Final = 64


class News(IntEnum):
    """How much an event changed: nothing, figures only, or something that a round must look at."""

    NONE = 0
    FIGURES = 1
    CHANGE = 2


class Place(NamedTuple):
    """Where an event comes from: a node, or a component of a slice on a node."""

    slice: Slice
    component: str
    host: Host


@lru_cache(_REMEMBERED)
def place_of(channel: Channel) -> Place | None:
    """The place that a channel names; None when it is none of the parts'."""
    words = channel[1:-1].split("/")
    if channel.startswith(NODE) and len(words) == 6:
        return Place(Slice(""), words[5], Host(words[4]))
    if channel.startswith(DEPLOYMENT) and len(words) == 8 and words[6] == "status":
        return Place(Slice(words[4]), words[5], Host(words[7]))
    return None


def fold_container(sliver: SliverSeen, event: Event, now: float) -> News:
    """``deployment-status`` of the sliver manager: the container."""
    became = state(event.state)
    if became is State.REQUESTED:
        # A new life of the sliver: whatever its agent and applications said belongs to the last one.
        sliver.agent_ready = False
        sliver.leave(sliver.applications, now)
    changed = sliver.container.become(became, now, _text(event, "reason"))
    return News.CHANGE if changed else News.NONE


def fold_container_figure(sliver: SliverSeen, event: Event, now: float) -> News:  # noqa: ARG001
    """One figure of the container: what it uses, or what it may."""
    value = _text(event, "value")
    if sliver.container_says.get(event.field) == value:
        return News.NONE
    sliver.container_says[event.field] = value
    return News.FIGURES


def fold_agent(sliver: SliverSeen, event: Event, now: float) -> News:
    """``deployment-status`` of the bootstrap: the deployment agent."""
    became = state(event.state)
    news = sliver.agent.become(became, now, _text(event, "reason"))
    ready = became is State.RUNNING
    news |= (ready, True) != (sliver.agent_ready, sliver.fresh)
    sliver.agent_ready, sliver.fresh = ready, True
    return News.CHANGE if news else News.NONE


def fold_application(sliver: SliverSeen, event: Event, now: float) -> News:
    """``deployment-status`` of the agent: one of its applications."""
    became, name = state(event.state), application(event.pairs.get("managed", ""))
    generation = _count(event.pairs, "generation")
    seen = sliver.application(name)
    news = seen.layer.become(became, now, _text(event, "reason"))
    return _settle(seen, event, generation, News.CHANGE if news else News.NONE, now)


def fold_status(sliver: SliverSeen, event: Event, now: float) -> News:
    """The periodic ``status`` of an application: state, text and exit code of its status script."""
    pairs = event.pairs
    became, name = state(pairs.get("state", "")), application(pairs.get("application", ""))
    generation = _count(pairs, "generation")
    seen = sliver.application(name)
    news = News.CHANGE if became is not seen.state else News.NONE
    if news:
        seen.layer.become(became, now)
    told = _text(event, "text"), pairs.get("exit-code", "")[:20], _text(event, "reason")
    if told != (seen.text, seen.exit_code, seen.note):
        seen.text, seen.exit_code, seen.note = told
        news = max(news, News.FIGURES)
    return _settle(seen, event, generation, news, now)


def fold_applications(sliver: SliverSeen, event: Event, now: float) -> News:
    """``holdings`` of an agent: all that it holds; what it does not name is not there."""
    held = read_applications(event.pairs)
    news = not (sliver.agent_ready and sliver.fresh) or held.keys() != sliver.applications.keys()
    sliver.leave(sliver.applications.keys() - held.keys(), now)
    for name, said in held.items():
        seen = sliver.application(name)
        news |= _hold(seen, said, now)
    sliver.agent_ready = sliver.fresh = True
    return News.CHANGE if news else News.NONE


def _hold(seen: ApplicationSeen, said: Held, now: float) -> bool:
    """Take over what an agent says that it holds of an application; False when it is no news."""
    release = release_name(said.version, said.configuration)
    before = (seen.held, seen.generation, seen.restarts, seen.release, seen.state, seen.digest)
    news = before != (True, said.generation, said.restarts, release, said.state, said.digest)
    if said.state is not seen.state:
        seen.layer.become(said.state, now)
    elif release != seen.release:
        seen.layer.since = now
    seen.held, seen.generation, seen.restarts = True, said.generation, said.restarts
    seen.version, seen.configuration, seen.digest = said.version, said.configuration, said.digest
    return seen.gives_up(said.gave_up, now) or news


def fold_slivers(node: NodeSeen, event: Event) -> News:
    """``holdings`` of a container manager: all slivers that it holds, and those it has deleted lately."""
    slivers, said = read_slivers(event.pairs), read_orders(event.pairs)
    orders = {name: said[name] for name in slivers if name in said}
    news = node.hold(slivers, read_gone(event.pairs), orders)
    return News.CHANGE if news else News.NONE


def fold_facts(node: NodeSeen, event: Event) -> News:
    """``facts`` of a node; a fact that is not told any more is kept: unknown is not false."""
    told = {name[:60]: text[:_TEXT] for name, text in event.pairs.items() if name != "hostname"}
    if len(node.facts | told) > _FACTS:
        raise Invalid(f"more than {_FACTS} facts")
    news = any(node.facts.get(name) != text for name, text in told.items())
    node.facts |= told
    return News.FIGURES if news else News.NONE


SliverFold = Callable[[SliverSeen, Event, float], News]
NodeFold = Callable[[NodeSeen, Event], News]

FOLDS: Final[Mapping[tuple[str, str], SliverFold]] = {
    (SLIVER_MGR, DEPLOYMENT_STATUS): fold_container,
    **{(CONTAINER_STATUS, field): fold_container_figure for field in CONTAINER_FIELDS},
    (SLIVER_BOOTSTRAP, DEPLOYMENT_STATUS): fold_agent,
    (DEPLOYMENT_AGENT, DEPLOYMENT_STATUS): fold_application,
    (DEPLOYMENT_AGENT, STATUS): fold_status,
    (DEPLOYMENT_AGENT, HOLDINGS): fold_applications,
}

NODE_FOLDS: Final[Mapping[str, NodeFold]] = {
    HOLDINGS: fold_slivers,
    FACTS: fold_facts,
}


def _settle(seen: ApplicationSeen, event: Event, generation: int, news: News, now: float) -> News:
    version = event.pairs.get("version", "")[:200] or seen.version
    configuration = event.pairs.get("configuration", "")[:_DIGEST]
    release = release_name(version, configuration)
    if seen.gives_up(_text(event, GAVE_UP), now):
        news = News.CHANGE
    if (generation, release) != (seen.generation, seen.release):
        if release != seen.release:
            # Another release runs now, also when nobody heard it begin.
            seen.layer.since = now
        if generation != seen.generation:
            # Of another order; its digest comes with the holdings.
            seen.digest = ""
        seen.generation, seen.version, seen.configuration = generation, version, configuration
        return News.CHANGE
    return news


def _text(event: Event, name: str) -> str:
    return event.pairs.get(name, "")[:_TEXT]


def _count(pairs: Mapping[str, str], name: str) -> int:
    text = pairs.get(name, "")
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise Invalid(f"its {name[:40]} {text[:40]!r} is not a count")
    return int(text)
