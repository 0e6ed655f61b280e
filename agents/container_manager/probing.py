"""A probe: a sliver is really made, a program really run in it, and all of it removed again.

It lies beside the slivers, so that no two have one user, under a name that no slice can have. What a crash
in the middle left is removed by the next probe, and by the next start.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from agents import local_socket
from agents.container_manager.slivers.driver import AgentCommand, SliverDriver
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import DsmtError, Unavailable
from dsmt_core.names import Slice

# No slice begins with a dot.
NAME: Final = Slice(".probe")
PROBE_S: Final = 60.0
"""A probe that takes longer did not pass."""

_PROGRAM: Final = "/bin/true"
_RUN_S: Final = 10.0
_GRACE_S: Final = 0.2

log = logging.getLogger(__name__)


class Prober:
    """Probes one node, one probe at a time; blocking, for threads.

    Args:
        driver: makes the slivers of this node.
        place: where this one is made.
        began: told of each step, so that a test can interrupt it there.
    """

    def __init__(
        self, driver: SliverDriver, place: Place, *, began: Callable[[str], None] = lambda _step: None
    ) -> None:
        self._driver = driver
        self._place = place
        self._began = began
        self._busy = threading.Lock()

    def probe(self) -> None:
        """Make a sliver, run a program in it, and remove it; blocks for a minute at most.

        Raises:
            DsmtError, OSError: what of this could not be done.
        """
        if not self._busy.acquire(blocking=False):
            raise Unavailable("the probe before has not ended yet")
        try:
            self._remove()
            try:
                self._make_and_run()
            finally:
                self._remove()
        finally:
            self._busy.release()

    def clean_up(self) -> None:
        """Remove what an earlier life of the container manager left in the middle of a probe."""
        if self._place.directory.exists() and self._busy.acquire(blocking=False):
            try:
                self._remove()
            except (DsmtError, OSError) as error:
                log.warning("what is left of a probe cannot be removed: %s", error)
            finally:
                self._busy.release()

    def _make_and_run(self) -> None:
        self._began("create")
        self._driver.create(self._place)
        self._began("boot")
        self._driver.boot(self._place, AgentCommand())
        self._began("run")
        asked = {"op": "run", "argv": [_PROGRAM], "env": {}, "timeout": _RUN_S}
        answer = local_socket.ask(self._place.init_socket, asked, timeout_s=2 * _RUN_S)
        if answer.get("exit") != 0:
            said = "did not end in time" if answer.get("timed_out") else f"ended with {answer.get('exit')}"
            raise Unavailable(f"{_PROGRAM} in a sliver {said}")

    def _remove(self) -> None:
        self._began("remove")
        self._driver.destroy(self._place, grace_s=_GRACE_S)
