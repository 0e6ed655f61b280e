"""Orders: what a container manager or a deployment agent is told, as the guide writes it and beside it.

The text is the guide's (``APPCONFIG,HOST,APPLICATION,WRAPPER``, field ``status``); generation,
version, digests and the rest travel as attribute pairs. An order says what **is wanted** of one
sliver or of one application, never a difference: carrying it out twice changes nothing.

    container manager   CREATE,HOST,SLICE          the sliver should exist
                        DELETE,HOST,SLICE          it should not
                        REPORT,HOST                say what you hold
                        PROBE,HOST                 make and remove a sliver for a test, and say how it went
                        PACE,HOST                  beat with this period from now on
    deployment agent    APPCONFIG,HOST,APP,WRAPPER installed and running at this version
                        START, UPDATE, RESTART     the same; RESTART raises ``restarts``
                        STOP,HOST,APP,WRAPPER      installed, not running
                        UNINSTALL,HOST,APP,WRAPPER not there
                        REPORT,HOST                say what you hold
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dsmt_core.agents import AgentPackage
from dsmt_core.configuration import NONE, Configuration
from dsmt_core.errors import Invalid
from dsmt_core.events import Event
from dsmt_core.limits import NO_LIMITS, Limits, limits_of
from dsmt_core.names import Application, Host, Slice, application, host, slice_name
from dsmt_core.packages import PackageRef
from dsmt_core.publishers import ANYBODY, Vouching, vouching_of
from dsmt_core.watch import USUAL, Watch

STATUS_PERIOD_S: Final = 60.0


class Verb(StrEnum):
    """What an order asks for."""

    CREATE = "CREATE"
    DELETE = "DELETE"
    REPORT = "REPORT"
    PROBE = "PROBE"
    PACE = "PACE"
    APPCONFIG = "APPCONFIG"
    START = "START"
    UPDATE = "UPDATE"
    RESTART = "RESTART"
    STOP = "STOP"
    UNINSTALL = "UNINSTALL"


_NONCE: Final = 64
NO_APPLICATION: Final = Application("")

FOR_SLIVERS: Final = frozenset({Verb.CREATE, Verb.DELETE})
# About the node itself; REPORT is for an agent, too.
FOR_NODES: Final = frozenset({Verb.REPORT, Verb.PROBE, Verb.PACE})
FOR_APPLICATIONS: Final = frozenset(Verb) - FOR_SLIVERS - FOR_NODES
RUNS: Final = frozenset({Verb.APPCONFIG, Verb.START, Verb.UPDATE, Verb.RESTART})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is wanted of a sliver (``application`` empty) or of one application in it.

    Attributes:
        generation: the slice's counter at the round that last changed this host; an older one than
            the receiver's is refused.
        version: of the wrapper package, ``[epoch:]version-release``.
        packages: what to install, in this order; the last one is the wrapper.
        restarts: raised by each RESTART; the application is restarted when it is above the one known.
        status_period: seconds between calls of the status script.
        agent: the installation agent of the sliver.
        agent_package: what it comes in, and its parameters; None for the default one, which needs none.
        digest: the planner's short word for what is asked for, whatever the generation; whoever follows
            the order says it again, beside the generation, and never looks into it.
        nonce: of a probe; whoever answers shows that it has read the order.
        heartbeat_s: seconds between the node's heartbeats; 0 where the order does not say.
        configuration: with which the application is started; a reader that knows none leaves it out.
        watch: how the application is watched; likewise.
        limits: of the sliver; a reader that knows none limits nothing.
        life: which slice of its name it is, of CREATE: one that was deleted and made again is another one.
        vouching: whose packages the slice takes, and who signed those of the order; a reader that knows
            nothing of it takes any.
    """

    verb: Verb
    host: Host
    slice: Slice
    generation: int
    application: Application = NO_APPLICATION
    wrapper: str = ""
    version: str = ""
    packages: tuple[PackageRef, ...] = ()
    restarts: int = 0
    status_period: float = STATUS_PERIOD_S
    agent: str = ""
    digest: str = ""
    nonce: str = ""
    heartbeat_s: float = 0.0
    configuration: Configuration = NONE
    watch: Watch = USUAL
    limits: Limits = NO_LIMITS
    agent_package: AgentPackage | None = None
    life: int = 0
    vouching: Vouching = ANYBODY

    @property
    def text(self) -> str:
        """The command as the guide writes it."""
        if self.verb in FOR_NODES:
            return f"{self.verb},{self.host}"
        if self.verb in FOR_SLIVERS:
            return f"{self.verb},{self.host},{self.slice}"
        return f"{self.verb},{self.host},{self.application},{self.wrapper}"

    @property
    def pairs(self) -> dict[str, str]:
        """What travels beside the text."""
        pairs = {
            "hostname": self.host,
            "slice": self.slice,
            "generation": str(self.generation),
        }
        if self.application:
            pairs |= {
                "application": self.application,
                "wrapper": self.wrapper,
                "version": self.version,
                "packages": " ".join(map(str, self.packages)),
                "restarts": str(self.restarts),
                "status-period": repr(self.status_period),
            }
        # Each only where there is something to say: so older planners and agents write and read them.
        more = {
            "agent": self.agent,
            "agent-package": "" if self.agent_package is None else self.agent_package.text,
            "digest": self.digest,
            "nonce": self.nonce,
            "heartbeat": repr(self.heartbeat_s) if self.heartbeat_s else "",
            "configuration": "" if self.configuration == NONE else self.configuration.text,
            "limits": self.limits.text,
            "life": str(self.life) if self.life else "",
            "watch": "" if self.watch == USUAL else self.watch.text,
        }
        return pairs | {name: text for name, text in more.items() if text} | self.vouching.pairs


@dataclass(frozen=True, slots=True)
class Request:
    """A command that somebody published in the guide's form; the planner decides about it."""

    verb: Verb
    host: Host
    application: Application
    wrapper: str


def order_of(event: Event) -> Order:
    """The order that an event on a command channel carries.

    Raises:
        Invalid: the text or the pairs are not an order.
    """
    words, pairs = event.value.split(","), event.pairs
    verb = _verb(words[0])
    read = Order(
        verb=verb,
        host=host(pairs.get("hostname", "")),
        slice=slice_name(pairs.get("slice", "")),
        generation=_count(pairs, "generation"),
        agent=pairs.get("agent", ""),
        agent_package=_agent_package(pairs.get("agent-package", "")),
        digest=pairs.get("digest", ""),
        nonce=pairs.get("nonce", "")[:_NONCE],
        heartbeat_s=_seconds(pairs, "heartbeat", 0.0) if verb is Verb.PACE else 0.0,
        limits=limits_of(pairs.get("limits", "")) if verb is Verb.CREATE else NO_LIMITS,
        life=_count(pairs, "life") if "life" in pairs else 0,
        vouching=vouching_of(pairs),
    )
    if verb in FOR_APPLICATIONS:
        read = _with_application(read, pairs)
    if read.text != event.value:
        raise Invalid(f"the command {event.value[:80]!r} and its pairs disagree")
    return read


def request_of(text: str) -> Request:
    """The request that a command in the guide's form makes.

    Raises:
        Invalid: it is not ``VERB,HOST,APPLICATION[,WRAPPER]`` with a verb for applications.
    """
    words = text.split(",")
    verb = _verb(words[0])
    if verb not in FOR_APPLICATIONS or len(words) not in {3, 4}:
        raise Invalid(
            f"{text[:80]!r} is not a command", hint="VERB,HOST,APPLICATION,WRAPPER, as APPCONFIG,…"
        )
    return Request(verb, host(words[1]), application(words[2]), [*words, ""][3])


def _with_application(read: Order, pairs: Mapping[str, str]) -> Order:
    packages = tuple(map(PackageRef.parse, pairs.get("packages", "").split()))
    return Order(
        verb=read.verb,
        host=read.host,
        slice=read.slice,
        generation=read.generation,
        agent=read.agent,
        digest=read.digest,
        application=application(pairs.get("application", "")),
        wrapper=pairs.get("wrapper", ""),
        version=pairs.get("version", ""),
        packages=packages,
        restarts=_count(pairs, "restarts"),
        status_period=_seconds(pairs, "status-period", STATUS_PERIOD_S),
        configuration=Configuration.parse(pairs.get("configuration", "")),
        watch=Watch.parse(pairs.get("watch", "")),
        vouching=read.vouching,
    )


def _agent_package(text: str) -> AgentPackage | None:
    return AgentPackage.parse(text) if text else None


def _verb(word: str) -> Verb:
    try:
        return Verb(word)
    except ValueError:
        raise Invalid(
            f"{word[:40]!r} is not a command", hint=f"the commands are {', '.join(Verb)}"
        ) from None


def _seconds(pairs: Mapping[str, str], name: str, default: float) -> float:
    try:
        seconds = float(pairs.get(name, default))
    except ValueError:
        raise Invalid(f"the order's {name} is not a number of seconds") from None
    if not 0 < seconds < float("inf"):
        raise Invalid(f"the order's {name} is not a number of seconds above 0")
    return seconds


def _count(pairs: Mapping[str, str], name: str) -> int:
    text = pairs.get(name, "")
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise Invalid(f"the order's {name} {text[:40]!r} is not a count")
    return int(text)
