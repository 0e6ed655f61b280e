"""What an agent remembers of one application, and how it is written down.

A record outlives the agent's process and the machine's: whatever stands in it was true before the next
step was taken, so an agent that comes back knows what it may have left half done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from agents.deployment_agent.decide.edition import (
    Edition,
    GaveUp,
    Receipt,
    read_edition,
    read_gave_up,
    read_packages,
    read_receipt,
    written_edition,
    written_gave_up,
)
from dsmt_core.commands import RUNS, Order, Verb
from dsmt_core.configuration import NONE, Configuration
from dsmt_core.errors import Invalid
from dsmt_core.lifecycle import State, state
from dsmt_core.names import application, host, slice_name
from dsmt_core.packages import PackageRef
from dsmt_core.publishers import vouching_of
from dsmt_core.watch import Watch


class Goal(StrEnum):
    """What an order asks for."""

    RUNNING = "running"
    STOPPED = "stopped"
    GONE = "gone"


class Life(StrEnum):
    """What the agent did last to the application's processes.

    Attributes:
        UNSURE: what was known is lost; first of all it is looked at.
        DOWN: nothing was started since the last stop.
        STARTING: its start script was called, or was about to be.
        UP: it was healthy when last looked at.
        BROKEN: it was not; it is looked at once more before it is started again.
        DOOMED: it is to be stopped before it is started again.
        ENDED: it ended by itself as it may (`dsmt_core.watch.Restart.ON_FAILURE`), and is left so.
    """

    UNSURE = "unsure"
    DOWN = "down"
    STARTING = "starting"
    UP = "up"
    BROKEN = "broken"
    DOOMED = "doomed"
    ENDED = "ended"


@dataclass(slots=True, kw_only=True)
class Record:
    """One application.

    Attributes:
        order: the newest accepted.
        state: as last published.
        life: see `Life`.
        version, packages, receipt: what is installed; version and packages are empty while that is
            uncertain.
        touched: something of it may be installed.
        restarts: of the order under which it was last started.
        configuration: with which it was last started.
        failures: in a row.
        start_pid: the start script's process, as the sliver's init numbers it; 0 when not known.
        reason: of the last failure.
        proven: the check that it has passed since it was started; one that it never passed says nothing
            against an application that runs.
        mature: what is installed has been healthy for as long as that takes.
        before: what was installed before it, and proved well; kept until this one has.
        returning: what is installed is given up, and ``before`` is to be back.
        prepared: what lies beside, unpacked, and is not installed yet.
        leftovers: receipts of what is to be removed when there is time.
        attempts: so many installations were begun and not heard of: a script may have ended the agent.
        gave_up: the release that did not become healthy; what is ordered is it, or it is of no weight.
    """

    order: Order
    state: State = State.UNDEFINED
    life: Life = Life.DOWN
    version: str = ""
    packages: tuple[PackageRef, ...] = ()
    receipt: Mapping[str, str] = field(default_factory=dict)
    touched: bool = False
    restarts: int = 0
    configuration: Configuration = NONE
    failures: int = 0
    start_pid: int = 0
    reason: str = ""
    proven: str = ""
    mature: bool = False
    before: Edition | None = None
    returning: bool = False
    prepared: Edition | None = None
    leftovers: tuple[Receipt, ...] = ()
    gave_up: GaveUp | None = None
    attempts: int = 0

    @property
    def goal(self) -> Goal:
        """What the order asks for."""
        if self.order.verb in RUNS:
            return Goal.RUNNING
        return Goal.STOPPED if self.order.verb is Verb.STOP else Goal.GONE

    @property
    def outdated(self) -> bool:
        """Whether the order names other packages than what is installed."""
        return bool(self.order.packages) and self.packages != self.order.packages

    @property
    def reconfigured(self) -> bool:
        """Whether the order has another configuration for what is installed than it was started with.

        A configuration belongs to the packages that it is ordered with: others never get it.
        """
        return not self.outdated and self.configuration != self.order.configuration

    @property
    def abandoned(self) -> bool:
        """Whether what is ordered was given up."""
        return self.gave_up is not None and self.gave_up.is_of(self.order)

    @property
    def in_use(self) -> tuple[Receipt, ...]:
        """The receipts of all that must stay on the node."""
        editions = (edition.receipt for edition in (self.before, self.prepared) if edition is not None)
        return tuple(filter(None, (self.receipt, *editions)))


_ORDER_TEXTS: Final = ("wrapper", "version", "agent")


def written(record: Record) -> dict[str, Any]:
    """``record`` as plain values for a state file."""
    order = record.order
    return {
        "order": {
            "verb": str(order.verb),
            "host": order.host,
            "slice": order.slice,
            "application": order.application,
            "generation": order.generation,
            "restarts": order.restarts,
            "status_period": order.status_period,
            "packages": [str(package) for package in order.packages],
            "digest": order.digest,
            "configuration": order.configuration.text,
            "watch": order.watch.text,
            # Only where packages are to be signed.
            **({"vouching": told} if (told := order.vouching.pairs) else {}),
            **{name: getattr(order, name) for name in _ORDER_TEXTS},
        },
        "state": str(record.state),
        "life": str(record.life),
        "version": record.version,
        "packages": [str(package) for package in record.packages],
        "receipt": dict(record.receipt),
        "touched": record.touched,
        "restarts": record.restarts,
        "configuration": record.configuration.text,
        "failures": record.failures,
        "start_pid": record.start_pid,
        "reason": record.reason,
        "proven": record.proven,
        "mature": record.mature,
        "before": written_edition(record.before),
        "returning": record.returning,
        "prepared": written_edition(record.prepared),
        "leftovers": [dict(receipt) for receipt in record.leftovers],
        "gave_up": written_gave_up(record.gave_up),
        "attempts": record.attempts,
    }


def read(values: Mapping[str, Any]) -> Record:
    """The inverse of `written`.

    Raises:
        Invalid: a value is missing or not legal.
    """
    try:
        return _read(values)
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(f"a record of an application cannot be read: {error!r}") from error


def _read(values: Mapping[str, Any]) -> Record:
    return Record(
        order=_order(values["order"]),
        state=state(values["state"]),
        life=Life(values["life"]),
        version=str(values["version"]),
        packages=read_packages(values["packages"]),
        receipt=read_receipt(values["receipt"]),
        touched=bool(values["touched"]),
        restarts=int(values["restarts"]),
        # An older agent knew of none.
        configuration=Configuration.parse(str(values.get("configuration", ""))),
        failures=int(values["failures"]),
        start_pid=int(values["start_pid"]),
        reason=str(values["reason"]),
        proven=str(values.get("proven", "")),
        # Of the following an older agent knew nothing: what ran then counts as proved.
        mature=bool(values.get("mature", values["state"] == State.RUNNING)),
        before=read_edition(values.get("before")),
        returning=bool(values.get("returning", False)),
        prepared=read_edition(values.get("prepared")),
        leftovers=tuple(map(read_receipt, values.get("leftovers", ()))),
        gave_up=read_gave_up(values.get("gave_up")),
        attempts=int(values.get("attempts", 0)),
    )


def _order(values: Mapping[str, Any]) -> Order:
    return Order(
        verb=Verb(values["verb"]),
        host=host(values["host"]),
        slice=slice_name(values["slice"]),
        application=application(values["application"]),
        generation=int(values["generation"]),
        restarts=int(values["restarts"]),
        status_period=float(values["status_period"]),
        packages=read_packages(values["packages"]),
        # An older agent did not write these.
        digest=str(values.get("digest", "")),
        configuration=Configuration.parse(str(values.get("configuration", ""))),
        watch=Watch.parse(str(values.get("watch", ""))),
        vouching=vouching_of(values.get("vouching", {})),
        wrapper=str(values["wrapper"]),
        version=str(values["version"]),
        agent=str(values["agent"]),
    )
