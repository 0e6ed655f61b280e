"""What a node says of itself: its heartbeat, and what it holds.

A heartbeat carries a digest of what the node holds, so that a planner that disagrees notices within
one period, whatever events were lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.lifecycle import State, state
from dsmt_core.names import Application, Slice, application, slice_name

HEARTBEAT: Final = "heartbeat"
HOLDINGS: Final = "holdings"
FACTS: Final = "facts"
PROBE: Final = "probe"
GOODBYE: Final = "goodbye"
_SLIVER: Final = "sliver."
_GONE: Final = "gone."
_REASON: Final = 400
_APPLICATION: Final = "application."
_ORDER: Final = "order."
_CONFIGURATION: Final = "configuration."
_GAVE_UP: Final = "gave-up."
GAVE_UP: Final = "gave-up"
# What a planner of another version takes for the digest of an order is its own affair; this is the bound.
_DIGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Held:
    """One application as an agent holds it.

    Attributes:
        generation: of the order that it follows.
        version: what is installed; empty when nothing is.
        state: as last published.
        restarts: of the order that it follows.
        digest: of the order that it follows, as the order said it; empty when it did not.
        configuration: the digest of the configuration with which it was last started.
        gave_up: the release that is ordered and did not become healthy (``VERSION`` or ``VERSION#DIGEST``),
            a space, and the reason; empty when there is none.
    """

    generation: int
    version: str
    state: State
    restarts: int = 0
    digest: str = ""
    configuration: str = ""
    gave_up: str = ""

    def __str__(self) -> str:
        return f"{self.generation} {self.state} {self.restarts} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """How a probe went: a sliver was made, had a program run in it, and was removed.

    Attributes:
        nonce: of the order.
        reason: why it did not pass; empty when it did.
        took_s: seconds from the order on.
    """

    nonce: str
    reason: str = ""
    took_s: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether all of it went well."""
        return not self.reason


def probe_pairs(result: ProbeResult) -> dict[str, str]:
    """The attribute pairs in which a container manager answers a probe."""
    pairs = {
        "nonce": result.nonce,
        "result": "passed" if result.passed else "failed",
        "seconds": f"{result.took_s:.3f}",
    }
    return pairs if result.passed else {**pairs, "reason": result.reason}


def read_probe(pairs: Mapping[str, str]) -> ProbeResult:
    """The inverse of `probe_pairs`.

    Raises:
        Invalid: it does not say how the probe went.
    """
    said = pairs.get("result", "")
    if said not in {"passed", "failed"}:
        raise Invalid(f"{said[:40]!r} is not the result of a probe")
    reason = "" if said == "passed" else pairs.get("reason", "")[:_REASON] or "it does not say why"
    try:
        took_s = float(pairs.get("seconds", "0"))
    except ValueError:
        raise Invalid("the time of a probe is not a number of seconds") from None
    return ProbeResult(nonce=pairs.get("nonce", "")[:_REASON], reason=reason, took_s=took_s)


def digest(slivers: Mapping[Slice, int]) -> str:
    """A short digest of the slivers of a node with their generations; order does not matter."""
    text = "\n".join(f"{name} {generation}" for name, generation in sorted(slivers.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sliver_pairs(slivers: Mapping[Slice, int]) -> dict[str, str]:
    """The attribute pairs in which a container manager says what it holds."""
    return {f"{_SLIVER}{name}": str(generation) for name, generation in slivers.items()}


def read_slivers(pairs: Mapping[str, str]) -> dict[Slice, int]:
    """The inverse of `sliver_pairs`; other pairs are left alone.

    Raises:
        Invalid: a name or a generation is not legal.
    """
    return {
        slice_name(name.removeprefix(_SLIVER)): _generation(text)
        for name, text in pairs.items()
        if name.startswith(_SLIVER)
    }


def order_pairs(digests: Mapping[Slice, str] | Mapping[Application, str]) -> dict[str, str]:
    """The attribute pairs that say which orders are followed: digests by sliver, or by application.

    One generation is one order, unless a planner forgot what it had ordered (its database was restored
    from an older copy) and gave the number away again.
    """
    return {f"{_ORDER}{name}": said for name, said in digests.items() if said}


def read_orders(pairs: Mapping[str, str]) -> dict[str, str]:
    """The inverse of `order_pairs`, by name; other pairs are left alone."""
    return {
        name.removeprefix(_ORDER): said[:_DIGEST] for name, said in pairs.items() if name.startswith(_ORDER)
    }


def gone_pairs(gone: Mapping[Slice, int]) -> dict[str, str]:
    """The attribute pairs in which a container manager says what it has deleted, and by which order.

    Without them a planner could take holdings that were under way before an order for its confirmation.
    """
    return {f"{_GONE}{name}": str(generation) for name, generation in gone.items()}


def read_gone(pairs: Mapping[str, str]) -> dict[Slice, int]:
    """The inverse of `gone_pairs`; other pairs are left alone.

    Raises:
        Invalid: a name or a generation is not legal.
    """
    return {
        slice_name(name.removeprefix(_GONE)): _generation(text)
        for name, text in pairs.items()
        if name.startswith(_GONE)
    }


def application_pairs(applications: Mapping[Application, Held]) -> dict[str, str]:
    """The attribute pairs in which a deployment agent says what it holds."""
    pairs = {f"{_APPLICATION}{name}": str(held) for name, held in applications.items()}
    pairs |= {
        f"{_CONFIGURATION}{name}": held.configuration
        for name, held in applications.items()
        if held.configuration
    }
    pairs |= {f"{_GAVE_UP}{name}": held.gave_up for name, held in applications.items() if held.gave_up}
    return pairs | order_pairs({name: held.digest for name, held in applications.items()})


def read_applications(pairs: Mapping[str, str]) -> dict[Application, Held]:
    """The inverse of `application_pairs`; other pairs are left alone.

    Raises:
        Invalid: a name, generation or state is not legal.
    """
    orders = read_orders(pairs)
    names = [name.removeprefix(_APPLICATION) for name in pairs if name.startswith(_APPLICATION)]
    return {
        application(name): _held(
            pairs[f"{_APPLICATION}{name}"],
            orders.get(name, ""),
            pairs.get(f"{_CONFIGURATION}{name}", "")[:_DIGEST],
            pairs.get(f"{_GAVE_UP}{name}", "")[:_REASON],
        )
        for name in names
    }


def _held(text: str, order: str, configuration: str, gave_up: str) -> Held:
    generation, held_state, restarts, version = [*text.split(" ", 3), "", "", "", ""][:4]
    return Held(
        _generation(generation),
        version,
        state(held_state),
        _generation(restarts),
        order,
        configuration,
        gave_up,
    )


def _generation(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise Invalid(f"{text[:40]!r} is not a generation")
    return int(text)
