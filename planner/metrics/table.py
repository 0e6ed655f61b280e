"""The planner's metrics: a row for each, with its name, its labels, and how it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from broker.bus import Link
from planner.fleet import NodeState
from planner.reconcile.summary import instances
from planner.service.planner import Planner
from planner.standing import Kind, bars_at

Values = Iterable[tuple[tuple[str, ...], float]]


class Form(StrEnum):
    """How a value may change: a counter only grows while the program runs."""

    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as the reference shows it.

    Attributes:
        name: as Prometheus has it, without ``_total``.
        form: counter or gauge.
        about: a sentence.
        read: its values now, each with those of its labels.
        labels: their names.
    """

    name: str
    form: Form
    about: str
    read: Callable[[Planner], Values]
    labels: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The name of its series."""
        return f"{self.name}_total" if self.form is Form.COUNTER else self.name

    def family(self, planner: Planner) -> Family:
        """What Prometheus is told."""
        made = CounterMetricFamily if self.form is Form.COUNTER else GaugeMetricFamily
        family = made(self.name, self.about, labels=self.labels)
        for labels, value in self.read(planner):
            family.add_metric(labels, value)
        return family


class PlannerMetrics(Collector):
    """The metrics of a planner, for a registry; they are read in its event loop."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    def collect(self) -> Iterator[Family]:
        """Every family, now."""
        for metric in METRICS:
            yield metric.family(self._planner)


def _one(read: Callable[[Planner], float]) -> Callable[[Planner], Values]:
    return lambda planner: [((), read(planner))]


def _nodes(planner: Planner) -> Values:
    count = Counter(planner.fleet.state(host) for host in planner.fleet.hosts)
    return [((state.value,), count[state]) for state in NodeState]


def _standing(planner: Planner) -> Values:
    bars = bars_at(planner.ledger.wanted.standings, planner.clock())
    count = Counter(bar.kind for host, bar in bars.items() if host in planner.fleet.hosts)
    return [((kind.value,), count[kind]) for kind in Kind]


def _heartbeat_age(planner: Planner) -> float:
    now, fleet = planner.clock(), planner.fleet
    waited_for = [host for host in fleet.hosts if fleet.state(host) is not NodeState.FAILED]
    return max((now - fleet.heard_at(host) for host in waited_for), default=0.0)


def _instances(planner: Planner) -> Values:
    for slice_ in planner.ledger.wanted.slices.values():
        count = Counter(instances(slice_, planner.fleet))
        for state in ("running", "failed", "waiting"):
            yield (slice_.name, state), count[state]


def _held_back(planner: Planner) -> Values:
    for name in planner.ledger.wanted.slices:
        yield (name,), len(planner.rounds.waiting(name))


METRICS: Final = (
    Metric("dsmt_nodes", Form.GAUGE, "Nodes by what the tracker judges.", _nodes, ("state",)),
    Metric(
        "dsmt_nodes_out_of_service",
        Form.GAUGE,
        "Nodes out of service, by why.",
        _standing,
        ("why",),
    ),
    Metric(
        "dsmt_heartbeat_age_seconds",
        Form.GAUGE,
        "The oldest last heartbeat of a node that has not failed.",
        _one(_heartbeat_age),
    ),
    Metric(
        "dsmt_slices",
        Form.GAUGE,
        "Slices that exist.",
        _one(lambda planner: len(planner.ledger.wanted.slices)),
    ),
    Metric(
        "dsmt_slice_instances",
        Form.GAUGE,
        "Wanted instances of a slice by how they are: running, failed, waiting.",
        _instances,
        ("slice", "state"),
    ),
    Metric(
        "dsmt_slice_held_back",
        Form.GAUGE,
        "How many things the planner holds back for a slice; `dsmtc status` has the reasons.",
        _held_back,
        ("slice",),
    ),
    Metric(
        "dsmt_planner_rounds",
        Form.COUNTER,
        "Rounds of reconciliation.",
        _one(lambda planner: planner.rounds.count),
    ),
    Metric(
        "dsmt_planner_round_seconds",
        Form.COUNTER,
        "Time that rounds took, in all.",
        _one(lambda planner: planner.rounds.took),
    ),
    Metric(
        "dsmt_planner_orders",
        Form.COUNTER,
        "Orders that the broker confirmed.",
        _one(lambda planner: planner.rounds.ordered),
    ),
    Metric(
        "dsmt_planner_trouble",
        Form.GAUGE,
        "1 while rounds fail: nothing is decided meanwhile.",
        _one(lambda planner: bool(planner.rounds.trouble)),
    ),
    Metric(
        "dsmt_planner_reports",
        Form.COUNTER,
        "Reports of nodes and agents that were heard.",
        _one(lambda planner: planner.seeing.folded),
    ),
    Metric(
        "dsmt_planner_reports_ignored",
        Form.COUNTER,
        "Reports that told nothing that can be so.",
        _one(lambda planner: planner.seeing.ignored),
    ),
    Metric(
        "dsmt_planner_lag_seconds",
        Form.GAUGE,
        "How late the event loop was when it last looked.",
        _one(lambda planner: planner.lag.last),
    ),
    Metric(
        "dsmt_planner_broker_users_trouble",
        Form.GAUGE,
        "1 while the users of the broker cannot be kept.",
        _one(lambda planner: bool(planner.roster.trouble)),
    ),
    Metric(
        "dsmt_channels_silent",
        Form.GAUGE,
        "Watched channels on which nothing was said for longer than promised.",
        _one(lambda planner: sum(1 for _ in planner.observing.silences.silent())),
    ),
    Metric(
        "dsmt_bus_connected",
        Form.GAUGE,
        "1 while the planner is connected to the broker.",
        _one(lambda planner: planner.bus.health.link is Link.CONNECTED),
    ),
    Metric(
        "dsmt_bus_connects",
        Form.COUNTER,
        "Connections that were made to the broker.",
        _one(lambda planner: planner.bus.health.connects),
    ),
    Metric(
        "dsmt_bus_outbox",
        Form.GAUGE,
        "Events that wait to be sent.",
        _one(lambda planner: planner.bus.health.outbox),
    ),
    Metric(
        "dsmt_bus_unconfirmed",
        Form.GAUGE,
        "Events that the broker has not confirmed yet.",
        _one(lambda planner: planner.bus.health.unconfirmed),
    ),
    Metric(
        "dsmt_bus_dropped",
        Form.COUNTER,
        "Events that were given up before they were sent.",
        _one(lambda planner: planner.bus.health.dropped),
    ),
    Metric(
        "dsmt_bus_refused",
        Form.COUNTER,
        "Deliveries that the receiver's check refused.",
        _one(lambda planner: planner.bus.health.refused),
    ),
    Metric(
        "dsmt_bus_lost",
        Form.COUNTER,
        "Deliveries that were left out because somebody here was slow.",
        _one(lambda planner: planner.bus.health.lost),
    ),
)
