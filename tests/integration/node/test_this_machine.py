"""What a node asks the kernel of its own machine."""

from __future__ import annotations

import os
import socket

from agents.container_manager.ports import holder
from agents.sliver_init import routes


def test_what_this_machine_is_called_is_told_by_its_kernel() -> None:
    found = routes.own()
    assert not any(address.startswith("127.") for address, _ in found)
    assert all(0 < length <= 32 for _, length in found)


def test_this_process_finds_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert f"(pid {os.getpid()}) of the node" in holder([port])[1]
    assert holder([port]) == (0, "")
