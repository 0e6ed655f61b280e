"""A check that the init does not make is not made on the node's network instead."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from agents.deployment_agent.probe import Answer, probe
from agents.deployment_agent.sliver import Reached, Sliver
from dsmt_core.errors import Conflict, Unavailable


class Refusing(Sliver):
    """Its init answers every check with this."""

    def __init__(self, said: str) -> None:
        super().__init__(Path("/nowhere"))
        self._said = said

    async def reach(self, host: str, port: int, say: str, *, timeout_s: float) -> Reached:  # noqa: ARG002
        raise Conflict(self._said)


async def test_only_an_init_that_knows_no_checks_has_them_made_by_its_agent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        check = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        older = Refusing("'reach' is not an operation")
        assert await probe(older, check, timeout_s=5.0) == Answer(0, "connected")
        with pytest.raises(Unavailable, match="64 checks"):
            await probe(Refusing("64 checks are under way already"), check, timeout_s=5.0)
