"""One installation with two tenants on real parts, and what an attacker in it would hold."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.attacks.town import Town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("town"))
    asyncio.run(made.start())
    yield made
    asyncio.run(made.stop())
