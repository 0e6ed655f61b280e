"""Which packages of a slice's depot make up an application, in the order of their installation.

A wrapper's requirements are taken by their word: each must be in the depot (``dsmtw_X`` requires ``X``).
What other packages require is taken along where the depot has it, and is otherwise the business of the
node's system: a sliver sees the system's files, but its package database is empty.

The newest version that satisfies is taken, as the tool of its kind orders versions. Packages of one
kind only are installed together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.packages import PackageRef, wrapped_application
from planner import versions

_OPERATORS: Final = frozenset({"<", "<=", "=", "==", ">=", ">"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedBy:
    """A signature of a package: whose key, when it was brought (seconds since the epoch), and by whom."""

    key: str
    signature: str
    at: float
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A file in the depot of a slice.

    Attributes:
        digest: SHA-256 of the content, hex.
        size: bytes.
        version: ``[epoch:]version[-release]``.
        requires, provides: each ``name`` or ``name OPERATOR version``.
        application: of which application it carries the scripts; empty for none.
        put_at: seconds since the epoch.
        scripts: which scripts it has, as the depot read them.
        signatures: of publishers, each found true when it came.
    """

    filename: str
    digest: str
    size: int
    kind: str
    name: str
    version: str
    arch: str = ""
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    application: str = ""
    put_at: float = 0.0
    scripts: tuple[str, ...] = ()
    signatures: tuple[SignedBy, ...] = ()

    @property
    def ref(self) -> PackageRef:
        """How an order names it."""
        return PackageRef(self.digest, self.size, self.filename)


@dataclass(frozen=True, slots=True)
class Requirement:
    """``name``, or ``name OPERATOR version`` (then ``operator`` is not empty)."""

    name: str
    operator: str = ""
    version: str = ""

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """Read ``name`` or ``name OPERATOR version``.

        Raises:
            Invalid: it is neither.
        """
        words = text.split()
        # rpm's boolean dependencies, such as (a or b): one name, which only a system provides.
        if text.startswith("(") or len(words) == 1:
            return cls(text.strip())
        if len(words) != 3 or words[1] not in _OPERATORS:
            raise Invalid(f"{text[:80]!r} is not a requirement", hint="such as: pinger >= 1.8-1")
        return cls(words[0], words[1].replace("==", "="), words[2])

    def __str__(self) -> str:
        return " ".join(part for part in (self.name, self.operator, self.version) if part)

    @property
    def is_of_system(self) -> bool:
        """Whether it names a file, a library or a feature of rpm, which only a system can provide."""
        return self.name.startswith("/") or "(" in self.name

    def met_by(self, version: str, kind: str = "rpm") -> bool:
        """Whether ``version`` satisfies it; no version satisfies only a requirement without one.

        Args:
            version: of a package.
            kind: of that package.
        """
        if not self.operator:
            return True
        if not version:
            return False
        order = versions.compare(kind, version, self.version)
        return {
            "<": order < 0,
            "<=": order <= 0,
            "=": order == 0,
            ">=": order >= 0,
            ">": order > 0,
        }[self.operator]


@dataclass(frozen=True, slots=True)
class Resolution:
    """The packages to install, in order, the wrapper last; or, in one sentence, what is missing."""

    packages: tuple[Package, ...]
    missing: str = ""


def newest(packages: Iterable[Package]) -> Package | None:
    """The package with the highest version; of equal ones the one put last."""
    found = list(packages)
    # Packages of different kinds are not compared: the kind that was put last is the newest.
    last = max(found, key=lambda one: one.put_at, default=None)
    if last is None:
        return None
    order, alike = versions.key(_family(last.kind)), [one for one in found if _alike(one, last)]
    return max(alike, key=lambda one: (order(one.version), one.put_at))


def _family(kind: str) -> str:
    return {"tar": "rpm", "archive": "image"}.get(kind, kind)


def _alike(one: Package, other: Package) -> bool:
    return _family(one.kind) == _family(other.kind)


def scripts_of(application: str, packages: Iterable[Package], version: str = "") -> Package | None:
    """The newest package with the scripts of ``application``, or the one of exactly ``version``."""
    candidates = [one for one in packages if one.application == application]
    if version:
        candidates = [one for one in candidates if versions.compare(one.kind, one.version, version) == 0]
    return newest(candidates)


def resolve(wrapper: Package, depot: Sequence[Package]) -> Resolution:
    """Close the requirements of ``wrapper`` over ``depot``.

    What is required comes before what requires it; a cycle among packages is cut where it closes.
    """
    order: list[Package] = []
    begun: set[str] = set()
    absent: list[str] = []

    def visit(package: Package) -> None:
        begun.add(package.name)
        for together in _by_name(package):
            found = newest(_providing(together, package, depot))
            if found is not None and found.name not in begun:
                visit(found)
            elif found is None and _is_needed(together[0], package, depot):
                said = ", ".join(dict.fromkeys(map(str, together)))
                absent.append(f"{said} (required by {package.filename})")
        order.append(package)

    visit(wrapper)
    if absent:
        return Resolution((), f"the depot of the slice lacks {', '.join(dict.fromkeys(absent))}")
    return Resolution(tuple(order))


def _by_name(package: Package) -> list[list[Requirement]]:
    """What a package requires; what it says of one name holds together."""
    found: dict[str, list[Requirement]] = {}
    for requirement in map(Requirement.parse, package.requires):
        found.setdefault(requirement.name, []).append(requirement)
    return list(found.values())


def _providing(
    together: Sequence[Requirement], package: Package, depot: Sequence[Package]
) -> list[Package]:
    """The packages of the same kind that meet all of it."""
    return [
        one
        for one in depot
        if _alike(one, package)
        and all(
            any(each.met_by(version, one.kind) for version in _versions(each.name, one))
            for each in together
        )
    ]


def _versions(name: str, package: Package) -> list[str]:
    """The versions in which ``package`` provides ``name``."""
    provided = [package.version] if package.name == name else []
    for text in package.provides:
        words = text.split()
        if words and words[0] == name:
            provided.append(words[2] if len(words) == 3 else "")
    return provided


def _is_needed(requirement: Requirement, package: Package, depot: Sequence[Package]) -> bool:
    """Whether the depot must have what it has not: asked for by a wrapper, or there in a wrong version."""
    if requirement.is_of_system:
        return False
    # Nothing but the depot has what a wheel needs (its environment is its own), or the archive of an image.
    is_strict = wrapped_application(package.name) is not None or package.kind in {"wheel", "image"}
    return is_strict or any(_versions(requirement.name, one) for one in depot if _alike(one, package))
