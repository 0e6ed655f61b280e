"""What is wanted, as values: slices, plans, applications and placements. Durable; kept by `store`.

A round reads one `Wanted` and never changes it; what it decides comes back as steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from dsmt_core.agents import AgentPackage
from dsmt_core.commands import STATUS_PERIOD_S
from dsmt_core.configuration import NONE, Configuration
from dsmt_core.limits import NO_LIMITS, Limits
from dsmt_core.names import DEFAULT_AGENT, Application, Host, PlanName, Site, Slice
from dsmt_core.packages import PackageRef
from dsmt_core.publishers import PackageSignature, Publishers
from dsmt_core.watch import USUAL, Watch
from planner.budget import DEFAULT, Budget
from planner.guarded import Guarded
from planner.quota import NO_QUOTA, Quota, SiteQuota
from planner.release import Release, ReleaseName, configuration_of, release_name, version_of
from planner.restraint import FREE, Restraint
from planner.rollout import Rollout
from planner.standing import Standing

NO_PLAN: Final = PlanName("")


class Run(StrEnum):
    """Whether an application should run where it is placed."""

    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Plan:
    """A named node selection: a function of `planner.plans` with its parameters as text.

    A parameter that takes a plan names another plan of the slice, or a function without parameters.
    """

    name: PlanName
    base: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedApplication:
    """An application of a slice: it goes wherever the slice's plan says.

    Attributes:
        version: of its wrapper, as `dsmt_core.packages.Version` writes it.
        packages: what to install, in order; the last is the wrapper.
        configuration: with which it is started.
        restarts: how many restarts were asked for since it was made.
        watch: how it is watched, whatever its release.
    """

    name: Application
    wrapper: str
    version: str
    packages: tuple[PackageRef, ...]
    run: Run = Run.RUNNING
    restarts: int = 0
    configuration: Configuration = NONE
    watch: Watch = USUAL

    @property
    def release(self) -> Release:
        """What it is made of."""
        return Release(self.version, self.packages, self.configuration)

    def at(self, release: Release) -> WantedApplication:
        """The same, made of another release."""
        return replace(
            self,
            version=release.version,
            packages=release.packages,
            configuration=release.configuration,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One application on one host, as committed; ``run`` and ``restarts`` may differ from the slice's.

    Attributes:
        configuration: the digest of the one that it is started with; empty for none.
        generation: the slice's counter at the round that last changed this host.
    """

    slice: Slice
    host: Host
    application: Application
    version: str
    generation: int
    run: Run = Run.RUNNING
    restarts: int = 0
    configuration: str = ""

    @property
    def release(self) -> ReleaseName:
        """The name of the release that is to be there."""
        return release_name(self.version, self.configuration)

    def at(self, release: ReleaseName) -> Placement:
        """The same with another release."""
        if self.release == release:
            return self
        return replace(self, version=version_of(release), configuration=configuration_of(release))


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSlice:
    """A slice with all that is wanted of it.

    Attributes:
        managed: an unmanaged slice is left alone: no orders at all.
        agent_package: what an agent of somebody else comes in; None for the default one.
        plan: the plan in force with its parameters; a name of ``plans`` or of a function.
        hosts: where a sliver is placed, with the generation that the container manager is told.
            A sliver is placed wherever the plan says, also before there is any application.
        generation: the slice's counter.
        retired: hosts whose sliver was taken away, with the generation of the order to delete it; kept
            until the node says that it is gone.
        guard: how many hosts its plan may ask for, and how fast that may change; None: any number.
        restraint: what the planner stopped by its own idea, and what people agreed to.
        budget: how many of its instances have to stay up, whatever the planner does by itself.
        rollouts: the latest roll-out of each application that had one, also when it has ended.
        limits: of each of its slivers.
        life: which slice of its name it is: one that is made anew has another, and its users of the broker
            other passwords.
        publishers: whose packages it takes; None: anybody's.
        signed: of the packages in its depot, by digest, a signature of one of them.
    """

    name: Slice
    managed: bool
    generation: int
    agent: str = DEFAULT_AGENT
    agent_parameters: Mapping[str, str] = field(default_factory=dict)
    agent_package: AgentPackage | None = None
    plan: PlanName = NO_PLAN
    plan_parameters: Mapping[str, str] = field(default_factory=dict)
    plans: Mapping[PlanName, Plan] = field(default_factory=dict)
    applications: Mapping[Application, WantedApplication] = field(default_factory=dict)
    hosts: Mapping[Host, int] = field(default_factory=dict)
    retired: Mapping[Host, int] = field(default_factory=dict)
    placements: tuple[Placement, ...] = ()
    status_period: float = STATUS_PERIOD_S
    budget: Budget = DEFAULT
    rollouts: Mapping[Application, Rollout] = field(default_factory=dict)
    restraint: Restraint = FREE
    guard: Guarded | None = None
    limits: Limits = NO_LIMITS
    life: int = 0
    site: Site = Site("")  # noqa: RUF009 - a NewType is a plain str
    quota: Quota = NO_QUOTA
    publishers: Publishers | None = None
    signed: Mapping[str, PackageSignature] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything that is wanted.

    Attributes:
        slices: by name.
        standings: what people want of nodes; one that is not named is in service.
        sites: what the slices of sites may use, by the site as it stands in `WantedSlice.site`.
    """

    slices: Mapping[Slice, WantedSlice] = field(default_factory=dict)
    standings: Mapping[Host, Standing] = field(default_factory=dict)
    sites: Mapping[Site, SiteQuota] = field(default_factory=dict)

    @property
    def hosts(self) -> frozenset[Host]:
        """Every host on which something is placed, or was and has not ended yet."""
        return frozenset().union(*(one.hosts.keys() | one.retired.keys() for one in self.slices.values()))
