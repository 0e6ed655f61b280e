"""A life of an agent that happens nowhere, against a peer that agrees to everything."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import broker
from broker.rabbit.rehearsal import Peer
from broker.topology import agent_topology
from dsmt_core.names import Host, Slice

REHEARSE = """
import os, threading
from agents.forks import warming
# What it does is asked here, not that it never takes long.
warming._MOST_S = 60
before = set(os.listdir('/proc/self/fd'))
told = warming.rehearse()
print(told >= warming.TOLD, set(os.listdir('/proc/self/fd')) == before, threading.active_count())
"""


def test_a_rehearsal_tells_all_and_leaves_nothing_behind() -> None:
    command = [sys.executable, "-X", "dev", "-c", REHEARSE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "True True 1\n", done.stderr
    assert "ResourceWarning" not in done.stderr


async def test_a_bus_lives_against_a_peer() -> None:
    peer = Peer()
    port = await peer.start()
    async with broker.connected(f"amqp://node:@127.0.0.1:{port}/%2F") as bus:
        await bus.declare(*agent_topology(Slice("s"), Host("n1.example.org")))
    await peer.close()


async def test_a_peer_says_nothing_to_strangers() -> None:
    peer = Peer()
    port = await peer.start()
    stranger = "import socket,sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1])));"
    stranger += "s.sendall(b'AMQP\\0\\0\\x09\\x01'); print(len(s.recv(1)))"
    process = await asyncio.create_subprocess_exec(
        "python3", "-c", stranger, str(port), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    # It is hung up on, in one way or another.
    assert said in {b"0\n", b""}
    with socket.create_connection(("127.0.0.1", port)) as own:
        own.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(own, b"AMQP\0\0\x09\x01")
        assert await loop.sock_recv(own, 1) == b"\x01"
    await peer.close()
