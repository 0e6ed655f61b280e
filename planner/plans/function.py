"""What a plan function is: a name, typed parameters, and a decision about all hosts at once.

A parameter's kind reads its text; whoever reads it learns plan, function and parameter from the error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dsmt_core.names import Host
from planner.amount import Amount
from planner.plans.selection import Part, Reason
from planner.plans.world import World


class Kind(StrEnum):
    """What a parameter takes; the value is how it is called in an error."""

    PLAN = "the name of a plan or of a function"
    COUNT = "a whole number of at least 1"
    PERCENT = "a number above 0 and at most 100"
    NUMBER = "a number"
    HOSTS = "host names, separated by commas"
    TEXT = "a text"
    FACT = "the name of a fact or label"
    QUERY = "a SWORD query as XML, from a file: query=@file.xml"
    AMOUNT = "a whole number, or a share such as 10%"
    CONDITION = "a condition such as \"country in ('CN','JP') and load1 < 2\""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function.

    Attributes:
        name: as it is written.
        kind: what it takes.
        default: its text when it is left out; None when it must be given; empty when it may be missing.
        other_name: a second spelling.
        least, most: of a number.
        choices: the only texts that it takes, if any.
    """

    name: str
    kind: Kind
    default: str | None = None
    other_name: str = ""
    least: float = float("-inf")
    most: float = float("inf")
    choices: tuple[str, ...] = ()

    @property
    def takes(self) -> str:
        """What it takes, for people."""
        return f"one of {', '.join(self.choices)}" if self.choices else str(self.kind)


@dataclass(frozen=True, slots=True)
class Call:
    """One application of a function.

    Attributes:
        plan: the name under which it decides; it is part of the lot that a host draws.
        function: its name.
        world: the hosts.
        parts: what the parameters that name plans chose, by parameter.
        numbers, hosts, texts, amounts: the other parameters that were given.
    """

    plan: str
    function: str
    world: World
    parts: Mapping[str, Part] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    hosts: Mapping[str, tuple[Host, ...]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    amounts: Mapping[str, Amount] = field(default_factory=dict)

    def reason(self, text: str) -> Reason:
        """A reason of this call."""
        return Reason(text, self.plan, self.function)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of plans.

    Attributes:
        name: as it is written; no plan may be called so.
        choose: decides.
        parameters: in the order of the reference.
        subtracts: parameters whose hosts are taken away; in them staying means to stay outside.
        sticky: it prefers who is in already, and so sees the world from the side it is used on.
        one_of: of these parameters exactly one is given.
        live: what applications do decides (`World.states`), which changes with every report.
        text: one sentence for people.
    """

    name: str
    choose: Callable[[Call], Part]
    text: str
    parameters: tuple[Parameter, ...] = ()
    subtracts: frozenset[str] = frozenset()
    sticky: bool = False
    one_of: tuple[str, ...] = ()
    live: bool = False

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of this name, in either spelling."""
        for parameter in self.parameters:
            if name in {parameter.name, parameter.other_name} - {""}:
                return parameter
        return None
