"""What a depot or a mirror tells Prometheus of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from broker.metering import Metered, Reader

METRICS: Final = {
    "dsmt_depot_used_bytes": "Bytes of the packages that are kept.",
    "dsmt_depot_max_bytes": "Bytes that all packages together may have.",
    "dsmt_depot_sent_bytes_total": "Bytes of packages that were sent.",
    "dsmt_depot_fetched_total": "Packages that a mirror fetched from its depot; of a depot 0.",
}


class Kept(Protocol):
    """Where packages lie."""

    @property
    def used(self) -> int:
        """Bytes."""

    @property
    def max_bytes(self) -> int:
        """Bytes, at most."""


class DepotMetrics(Collector):
    """The metrics of a depot or a mirror, for a registry.

    Args:
        kept: where its packages lie.
        sent: bytes that were sent.
        fetched: packages that were fetched.
    """

    def __init__(self, kept: Kept, sent: Callable[[], int], fetched: Callable[[], int] = lambda: 0) -> None:
        self._kept = kept
        self._sent = sent
        self._fetched = fetched

    def collect(self) -> Iterator[Metric]:
        """Every family, now."""
        gauges = {"dsmt_depot_used_bytes": self._kept.used, "dsmt_depot_max_bytes": self._kept.max_bytes}
        for name, value in gauges.items():
            yield GaugeMetricFamily(name, METRICS[name], value=value)
        counters = {
            "dsmt_depot_sent_bytes_total": self._sent(),
            "dsmt_depot_fetched_total": self._fetched(),
        }
        for name, value in counters.items():
            yield CounterMetricFamily(name.removesuffix("_total"), METRICS[name], value=value)


def metered_with(about: DepotMetrics, routes: Sequence[BaseRoute], reader: Reader | None) -> Middleware:
    """What counts the requests of a depot, and answers ``/metrics``."""
    program = "dsmt-depot"
    return Middleware(Metered, routes=routes, reader=reader, about=[about], program=program)
