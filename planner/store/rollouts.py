"""Roll-outs: the latest of each application is wanted, those before it are history.

Of an application the last `KEPT` are kept, whether it is still there or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select

from dsmt_core.configuration import Configuration
from dsmt_core.names import Application, Host, Slice
from dsmt_core.packages import PackageRef
from planner.amount import Amount
from planner.release import ReleaseName
from planner.rollout import Phase, Policy, Release, Rollout
from planner.store.tables import ROLLOUTS

KEPT: Final = 20


def latest(rows: Iterable[Row[Any]]) -> dict[Application, Rollout]:
    """The latest roll-out of each application; rows of one slice."""
    last: dict[str, Row[Any]] = {}
    for row in rows:
        if row.application not in last or last[row.application].number < row.number:
            last[row.application] = row
    return {Application(name): read(row.value) for name, row in last.items()}


def history(connection: Connection, slice_: Slice, application: Application) -> list[Rollout]:
    """The roll-outs of an application that are kept, the latest first."""
    mine = ROLLOUTS.c.slice == slice_, ROLLOUTS.c.application == application
    rows = connection.execute(select(ROLLOUTS.c.value).where(*mine).order_by(ROLLOUTS.c.number.desc()))
    return [read(value) for value in rows.scalars()]


def store_rollouts(connection: Connection, slice_: Slice, rollouts: Mapping[Application, Rollout]) -> None:
    """Store these roll-outs of a slice; others stay as they are."""
    for application, rollout in rollouts.items():
        mine = ROLLOUTS.c.slice == slice_, ROLLOUTS.c.application == application
        numbers = select(func.max(ROLLOUTS.c.number)).where(*mine)
        newest = max(connection.execute(numbers).scalar() or 0, rollout.number)
        old = ROLLOUTS.c.number <= newest - KEPT
        connection.execute(delete(ROLLOUTS).where(*mine, (ROLLOUTS.c.number == rollout.number) | old))
        connection.execute(
            insert(ROLLOUTS).values(
                slice=slice_, application=application, number=rollout.number, value=written(rollout)
            )
        )


def written(rollout: Rollout) -> dict[str, Any]:
    """A roll-out as JSON."""
    chosen = rollout.policy
    return {
        "number": rollout.number,
        "before": rollout.before,
        "after": written_release(rollout.after),
        "others": [written_release(one) for one in rollout.others],
        "policy": {
            "waves": [[one.number, one.percent] for one in chosen.waves],
            "min_healthy_s": chosen.min_healthy_s,
            "deadline_s": chosen.deadline_s,
            "errors": [chosen.errors.number, chosen.errors.percent],
            "need": chosen.need,
        },
        "phase": rollout.phase.value,
        "wave": rollout.wave,
        "told": dict(rollout.told),
        "well": rollout.well,
        "ill": rollout.ill,
        "failed": dict(rollout.failed),
        "changes": list(rollout.changes),
        "reason": rollout.reason,
        "by": rollout.by,
        "began_at": rollout.began_at,
        "moved_at": rollout.moved_at,
    }


def read(value: Mapping[str, Any]) -> Rollout:
    """The inverse of `written`."""
    chosen = value["policy"]
    return Rollout(
        number=value["number"],
        before=ReleaseName(value["before"]),
        after=_read_release(value["after"]),
        others=tuple(map(_read_release, value["others"])),
        policy=Policy(
            waves=tuple(Amount(number, percent) for number, percent in chosen["waves"]),
            min_healthy_s=chosen["min_healthy_s"],
            deadline_s=chosen["deadline_s"],
            errors=Amount(*chosen["errors"]),
            need=chosen["need"],
        ),
        phase=Phase(value["phase"]),
        wave=value["wave"],
        told={Host(host): at for host, at in value["told"].items()},
        well=value["well"],
        ill=value["ill"],
        failed={Host(host): why for host, why in value["failed"].items()},
        # Roll-outs from before there were configurations did not tell.
        changes=tuple(value.get("changes", ())),
        reason=value["reason"],
        by=value["by"],
        began_at=value["began_at"],
        moved_at=value["moved_at"],
    )


def written_release(release: Release) -> dict[str, Any]:
    """A release as JSON; also the columns of an application that it is made of."""
    return {
        "version": release.version,
        "packages": list(map(str, release.packages)),
        "configuration": release.configuration.values,
    }


def _read_release(value: Mapping[str, Any]) -> Release:
    packages = tuple(map(PackageRef.parse, value["packages"]))
    return Release(value["version"], packages, Configuration.of(value.get("configuration", {})))
