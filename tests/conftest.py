"""What holds for all tests."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# A shell starts what it runs in the background with SIGINT ignored, and programs inherit that: those that
# the tests start and interrupt have to hear it however the tests themselves were started.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no failure: examples are counted, not timed.
settings.register_profile("dsmt", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dsmt")
