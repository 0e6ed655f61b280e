"""A private RabbitMQ for tests: a failure where it is missing in CI, a skip at home."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.server.private import PrivateBroker
from dsmt_core.errors import Unavailable

# A memory alarm, and its end: what is in use is above, and below, this share of the machine's memory.
ALARM = "vm_memory_monitor:set_vm_memory_high_watermark(0.00001)"
WELL = "vm_memory_monitor:set_vm_memory_high_watermark(0.4)"


def private_rabbitmq(folder: Path) -> Iterator[PrivateBroker]:
    """The body of a fixture: a broker in ``folder``, killed with everything that it started."""
    private = PrivateBroker(folder)
    try:
        private.start()
    except Unavailable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{error}: {error.hint}")
    yield private
    private.kill()
