"""The first process of a sliver: one JSON argument, one socket, until it is told to end.

It outlives the container manager that started it, holds no credential, and restarts by itself nothing
but the deployment agent. SIGTERM, or the request ``end``, ends everything in the sliver: politely, then
after a grace for certain.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys

from agents.sliver_init import inside
from agents.sliver_init.agent import Agent
from agents.sliver_init.census import Census
from agents.sliver_init.children import Children
from agents.sliver_init.groups import Groups
from agents.sliver_init.logs import Logs
from agents.sliver_init.loop import Loop
from agents.sliver_init.network import HOST, Network
from agents.sliver_init.requests import Requests
from agents.sliver_init.rlimits import Rlimits
from agents.sliver_init.server import Server, listen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from agents.sliver_init.outward import Outward

GRACE_S = 5.0
_LOOK_S = 0.02
# Between SIGKILL and the end of this process, should something be stuck in the kernel.
_STUCK_S = 3.0
_PR_SET_CHILD_SUBREAPER = 36


class Init:
    """Wires the parts of the init together, and ends them.

    Args:
        config: ``socket``: path of init.sock; ``mark``: of this sliver, for the environment of its
            processes; ``agent``: argv, may be empty; ``env``: the agent's; ``log``: the agent's;
            ``inside``: how it is forked;
            ``groups`` and ``rlimits``: see `Groups` and `Rlimits`.
        network: what its programs have of it.
        outward: their way to others, where that is not the node's.
    """

    def __init__(self, config: dict[str, Any], network: Network, outward: Outward | None = None) -> None:
        self._loop = Loop()
        self._path = str(config["socket"])
        groups, rlimits = Groups(config.get("groups", {})), Rlimits(config.get("rlimits", {}))
        self._census = Census(
            str(config["mark"]), alone=os.getpid() == 1, below=os.getpid(), grouped=groups.processes
        )
        self._children = Children(self._loop, self._census, groups, rlimits)
        self._children.network = network
        self._outward = outward
        if outward is not None:
            outward.bind(self._loop, self._children)
        self._logs = Logs(self._loop)
        self._agent = Agent(
            config["agent"], env=config["env"], log=str(config["log"]), inside=config.get("inside", {})
        )
        self._agent.bind(self._loop, self._children, self._logs)
        requests = Requests(
            str(config["mark"]),
            loop=self._loop,
            census=self._census,
            children=self._children,
            logs=self._logs,
        )
        requests.bounded(rlimits)
        requests.more(self._agent, self._begin_end)
        self._server = Server(self._loop, listen(self._path), requests.handle)
        self._ending = False
        self._looks = 0

    def run(self) -> None:
        """Serve until the end of the sliver."""
        self._loop.on_signal(signal.SIGCHLD, self._children.reap)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.on_signal(number, lambda: self._begin_end(GRACE_S))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._children.reap()
        self._loop.run()
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    def _begin_end(self, grace: float) -> None:
        if self._ending:
            return
        self._ending = True
        self._agent.give_up()
        if self._outward is not None:
            self._outward.give_up()
        self._census.signal_all(signal.SIGTERM)
        self._loop.later(0.0, self._look)
        self._loop.later(grace, self._kill)

    def _look(self) -> None:
        # Counting reads all of /proc: often at first, when most ends come, and then less.
        self._looks += 1
        if not self._census.owners():
            # One more round of the loop takes in their last words.
            self._loop.later(0.0, self._loop.end)
        else:
            self._loop.later(min(_LOOK_S * self._looks, 0.2), self._look)

    def _kill(self) -> None:
        self._census.signal_all(signal.SIGKILL)
        self._loop.later(_STUCK_S, self._loop.end)


def run() -> None:
    """Entry point: ``init CONFIG``, with the configuration as one JSON argument."""
    config = json.loads(sys.argv[1])
    # Before this process hides: what is hidden may not map users.
    network = Network(str(config.get("network", HOST)))
    if os.getpid() == 1:
        inside.hide()
    else:
        # As first process of a name space orphans come here anyway.
        import ctypes  # noqa: PLC0415 - half a megabyte that most inits do not need

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    Init(config, network, _outward(network, config)).run()


def _outward(network: Network, config: dict[str, Any]) -> Outward | None:
    if not network.is_outward:
        return None
    from agents.sliver_init.outward import Outward  # noqa: PLC0415 - most inits do not need it

    outward = Outward(network, str(config["mark"]), config["outward"])
    outward.begin()
    return outward


if __name__ == "__main__":
    run()
