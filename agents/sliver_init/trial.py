"""Whether programs can have a network here: made for real and left again; ends well if they can."""

from __future__ import annotations

import sys

from agents.sliver_init.network import Network


def run() -> None:
    """Entry point: ``trial NETWORK``; what is in the way is told on one line."""
    try:
        network = Network(sys.argv[1])
        if network.is_outward:
            from agents.sliver_init.outward import Outward  # noqa: PLC0415 - as in the init

            outward = Outward(network, "trial")
            outward.begin()
            outward.end()
    except OSError as error:
        raise SystemExit(str(error)) from error
