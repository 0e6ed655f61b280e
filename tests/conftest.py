"""What holds for all tests."""

from __future__ import annotations

import signal

# A shell starts what it runs in the background with SIGINT ignored, and programs inherit that: those that
# the tests start and interrupt have to hear it however the tests themselves were started.
signal.signal(signal.SIGINT, signal.default_int_handler)
