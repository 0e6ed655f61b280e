"""The long forms of faults: minutes each, run by ``make chaos`` and not by ``make test``."""

from __future__ import annotations

from tests.integration.hosts.conftest import cluster, connect, network, planner

__all__ = ["cluster", "connect", "network", "planner"]
