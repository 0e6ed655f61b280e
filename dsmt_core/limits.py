"""The limits of a sliver: what all its applications together may use of their node. Pure.

Nothing is limited unless somebody says so: 0 stands for no limit. The sliver's own first process and its
agent have an allowance of their own beside it, so that an application that takes all that is allowed does
not take them along.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from dsmt_core.errors import Invalid

# How the reason begins for which a node refuses a sliver; a planner looks for another node soon.
DOES_NOT_FIT: Final = "the sliver does not fit"
# The facts by which a node tells which networks it can give, by name, and why not the others.
NETWORKS_FACT: Final = "networks"
LACKING_FACT: Final = "networks_lacking"
# The facts by which a node tells which root file systems it can make a sliver over, and why no others.
ROOTS_FACT: Final = "roots"
ROOTS_LACKING_FACT: Final = "roots_lacking"
ROOT_KIND: Final = "rootfs"
"""The kind of a package that is one."""
DEPOT_ROOTS: Final = "@depot"
"""Among them: every one that is in the depot."""
_ROOT_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}\Z")
_ROOT_PACKAGE: Final = re.compile(r"([0-9a-f]{64})/([0-9]{1,12})\Z")
# How people say that a sliver has the node's.
_NODES_OWN: Final = frozenset({"", "0", "node"})
_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE: Final = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,6})?)([KMGT]?)(?:i?B)?\Z", re.IGNORECASE)
# Less than this and not even a shell starts.
_LEAST: Final = {"memory": 4 << 20, "disk": 1 << 20, "processes": 4, "files": 16, "cpu": 0.01}
_MOST: Final = {"memory": 1 << 50, "disk": 1 << 60, "processes": 1 << 22, "files": 1 << 20, "cpu": 4096.0}


class Network(StrEnum):
    """What of the network a sliver has.

    Attributes:
        HOST: the node's own.
        NONE: no network at all.
        OWN: one of its own, that reaches outwards and nothing of the node.
    """

    HOST = "host"
    NONE = "none"
    OWN = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the applications of one sliver may use, all together.

    Attributes:
        memory: bytes.
        cpu: in cores; 0.5 is half of one.
        processes: threads count, too.
        disk: bytes of all its files.
        files: open ones, of each process.
        network: what it has of the network.
        root: the root file system that it is made over: the name under which nodes offer one, or
            ``digest/size`` of one in the depot; empty for the node's own system.

    Raises:
        Invalid: a number is negative, not finite, or so small that nothing would run; a root file system is
            not named so.
    """

    memory: int = 0
    cpu: float = 0.0
    processes: int = 0
    disk: int = 0
    files: int = 0
    network: Network = Network.HOST
    root: str = ""

    def __post_init__(self) -> None:
        if self.root and not (_ROOT_NAME.match(self.root) or _ROOT_PACKAGE.match(self.root)):
            raise Invalid(
                f"{self.root[:80]!r} does not name a root file system",
                hint="small letters, digits, dot, hyphen and underscore, such as debian12",
            )
        for name, least in _LEAST.items():
            number = getattr(self, name)
            if not math.isfinite(number) or (number and not least <= number <= _MOST[name]):
                raise Invalid(
                    f"a limit of {name} of {number:g} is not possible",
                    hint=f"it is 0 for none, or from {shown(name, least)} to {shown(name, _MOST[name])}",
                )

    @property
    def text(self) -> str:
        """As an order carries it, ``memory=268435456 network=none``; empty when nothing is limited."""
        words = [
            f"{name}={value if isinstance(value, int) else format(value, '.12g')}"
            for name, value in self.numbers.items()
        ]
        words += [f"network={self.network}"] if self.network is not Network.HOST else []
        words += [f"root={self.root}"] if self.root else []
        return " ".join(words)

    @property
    def root_package(self) -> tuple[str, int] | None:
        """Digest and size of the root file system, where it is one of the depot."""
        found = _ROOT_PACKAGE.match(self.root)
        return (found[1], int(found[2])) if found else None

    @property
    def root_shown(self) -> str:
        """The root file system in a word: its name, or the beginning of its digest."""
        return self.root if self.root_package is None else self.root[:12]

    @property
    def numbers(self) -> dict[str, float]:
        """The limits that are set, by name; without the network and the root file system."""
        found = {name: getattr(self, name) for name in sorted(_LEAST)}
        return {name: value for name, value in found.items() if value}

    @property
    def words(self) -> str:
        """For people: ``memory 256M, processes 100, network none``."""
        said = [f"{name} {shown(name, value)}" for name, value in self.numbers.items()]
        said += [f"network {self.network}"] if self.network is not Network.HOST else []
        said += [f"root {self.root_shown}"] if self.root else []
        return ", ".join(said) or "none"


NO_LIMITS: Final = Limits()


def limits_of(text: str) -> Limits:
    """The inverse of `Limits.text`; a limit that this version does not know is left out.

    Raises:
        Invalid: it is none, or a network is asked for that this version cannot give.
    """
    found = NO_LIMITS
    for word in text.split():
        name, _, value = word.partition("=")
        if name in _LEAST or name in {"network", "root"}:
            found = changed(found, name, value)
    return found


def changed(limits: Limits, name: str, value: str) -> Limits:
    """``limits`` with one of them as people write it: ``256M``, ``0.5``, ``none``; 0 takes it away.

    Raises:
        Invalid: there is no such limit, or the value is not one for it.
    """
    fields: dict[str, Any]
    if name == "network":
        if value not in set(Network):
            raise Invalid(f"{value[:40]!r} is no network for a sliver", hint=f"one of {', '.join(Network)}")
        fields = {"network": Network(value)}
    elif name == "root":
        fields = {"root": "" if value in _NODES_OWN else value}
    elif name in {"memory", "disk"}:
        fields = {name: size(value)}
    elif name == "cpu":
        fields = {name: _number(name, value)}
    elif name in _LEAST:
        fields = {name: int(_number(name, value))}
    else:
        known = ", ".join((*_LEAST, "network", "root"))
        raise Invalid(f"there is no limit of {name[:40]!r}", hint=f"one of {known}")
    return replace(limits, **fields)


def size(text: str) -> int:
    """Bytes of a text such as ``256M``, ``1.5G`` or ``1048576``; K is 1,024.

    Raises:
        Invalid: it is none.
    """
    found = _SIZE.match(text.strip())
    if found is None:
        raise Invalid(f"{text[:40]!r} is not a size", hint="a number with K, M, G or T, such as 256M")
    return int(Decimal(found[1]) * _UNITS[found[2].upper()])


def shown(name: str, value: float) -> str:
    """A limit as people write it."""
    if name not in {"memory", "disk"}:
        return f"{value:g}"
    return shown_size(int(value))


def shown_size(amount: int) -> str:
    """Bytes as people write them: ``256M``, ``1.5G``."""
    for unit in ("T", "G", "M", "K"):
        if amount >= _UNITS[unit]:
            return f"{round(amount / _UNITS[unit], 1):g}{unit}"
    return str(amount)


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Invalid(f"{text[:40]!r} is not a number", hint=f"{name} takes a number; 0 for no limit")
    return number
