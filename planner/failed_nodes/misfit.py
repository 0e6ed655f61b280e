"""A misfit: one host that is left alone for one slice, for a while."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dsmt_core.names import Application, Host, Slice
from planner.moments import written
from planner.release import ReleaseName, said

Place = tuple[Slice, Host]


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """One host for one slice.

    Attributes:
        application, release: what did not come to run.
        reason: as its agent said last.
        since: when it was judged.
        until: it is not tried again before.
        failures: how often this was so.
    """

    application: Application
    release: ReleaseName
    reason: str
    since: float
    until: float
    failures: int = 1

    @property
    def sentence(self) -> str:
        """For people."""
        times = f", for the {self.failures}. time" if self.failures > 1 else ""
        again = f"tried again from {written(self.until)} on"
        return f"{self.application} {said(self.release)} does not run here{times}: {self.reason}; {again}"


def misfit_value(one: Misfit) -> dict[str, Any]:
    """A misfit as plain JSON."""
    return {
        "application": one.application,
        "version": one.release,
        "reason": one.reason,
        "since": one.since,
        "until": one.until,
        "failures": one.failures,
    }


def read_misfit(value: Mapping[str, Any]) -> Misfit:
    """The inverse of `misfit_value`."""
    return Misfit(
        application=Application(value["application"]),
        release=ReleaseName(value["version"]),
        reason=str(value["reason"]),
        since=float(value["since"]),
        until=float(value["until"]),
        failures=int(value["failures"]),
    )


def places(rows: Iterable[tuple[str, str, Mapping[str, Any]]]) -> Iterator[tuple[Place, Misfit]]:
    """Rows of the store: slice, host, value."""
    for slice_, host, value in rows:
        yield (Slice(slice_), Host(host)), read_misfit(value)
