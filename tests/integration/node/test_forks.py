"""Agents out of the fork server: what they are, and what an application can do to them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from agents import local_socket, state_file
from agents.container_manager import agent_orders
from agents.container_manager.forking import Forking
from agents.container_manager.slivers import record
from agents.container_manager.slivers.directory_driver import agent_command, agent_inside
from agents.container_manager.slivers.driver import AgentCommand, SliverDriver
from agents.container_manager.slivers.place import Place
from agents.forks.main import NAME
from agents.sliver_init.census import SLIVER_MARK
from dsmt_core.names import Slice
from tests.integration.node.test_attacks import AGENT, CONFIG, SEARCH, python
from tests.integration.node.test_drivers import ask, wait_for


async def until(condition: Callable[[], object], within_s: float = 60.0) -> None:
    await asyncio.to_thread(wait_for, condition, within_s)


@pytest.fixture
async def forks(bubblewrap: SliverDriver) -> AsyncIterator[Forking]:
    if os.geteuid() != 0:
        pytest.skip("needs slivers with a user of their own")
    made = Forking(bubblewrap)
    yield made
    await made.close()


@pytest.fixture
async def sliver(
    bubblewrap: SliverDriver,
    place_of: Callable[[Slice], Place],
    forks: Forking,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Place]:
    # An init waits 15 s for its agent and then forks it itself: the server's start is not to be among them.
    monkeypatch.setattr("agents.container_manager.forks._READY_S", 120.0)
    await asyncio.to_thread(forks._server._begin)
    place = place_of(Slice("one"))
    await asyncio.to_thread(boot, bubblewrap, place)
    await forks.attend(place)
    await asyncio.to_thread(agent_orders.tell, place, bubblewrap.owner(place), {"start": True})
    yield place
    await asyncio.to_thread(bubblewrap.destroy, place, grace_s=0.2)


def boot(driver: SliverDriver, place: Place) -> None:
    driver.create(place)
    state_file.save(place.agent_file, CONFIG, mode=0o400)
    driver.boot(place, AgentCommand(agent_command(), AGENT, agent_inside()))


def server_of(forks: Forking) -> int:
    return forks._server.pid


def agent_of(place: Place) -> psutil.Process | None:
    """The agent that the init knows, as the node counts."""
    told, init = ask(place, op="agent")["pid"], record.load(place.init_file)
    assert init is not None
    for child in psutil.Process(init.pid).children():
        # Others of its children may end meanwhile.
        with contextlib.suppress(OSError):
            if told and status(child.pid)["NSpid"][-1] == str(told):
                return child
    return None


def status(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: words.split() for name, _, words in (line.partition(":") for line in lines)}


async def begun(place: Place) -> psutil.Process:
    found: list[psutil.Process] = []

    def there() -> bool:
        found[:] = [one for one in [agent_of(place)] if one is not None and is_itself(one)]
        return bool(found)

    await until(there)
    return found[0]


def is_itself(agent: psutil.Process) -> bool:
    """Whether it has come so far: the pid of a fork is told before it has left the server's session."""
    try:
        return not is_forked(agent) or Path(f"/proc/{agent.pid}/comm").read_text() == f"{NAME}\n"
    except OSError:
        return False


async def next_forked(place: Place, before: psutil.Process) -> psutil.Process:
    """The next agent that a server forked: who waits too long for a server that begins forks its own."""
    for _ in range(8):
        before.kill()
        await until(lambda: (found := agent_of(place)) is not None and found != before)  # noqa: B023
        before = await begun(place)
        if is_forked(before):
            break
    return before


def is_forked(agent: psutil.Process) -> bool:
    """Whether it has the server's arguments, and not its init's."""
    return b"agents.forks" in Path(f"/proc/{agent.pid}/cmdline").read_bytes()


def is_as_it_should(agent: psutil.Process, sliver: Place, owner: tuple[int, int] | None) -> None:
    init = record.load(sliver.init_file)
    assert is_forked(agent)
    assert init is not None
    assert owner is not None
    assert agent.ppid() == init.pid
    for name in ("mnt", "pid", "ipc", "uts", "cgroup", "net", "user"):
        assert (
            Path(f"/proc/{agent.pid}/ns/{name}").readlink()
            == Path(f"/proc/{init.pid}/ns/{name}").readlink()
        )
    told = status(agent.pid)
    assert told["Uid"] == [str(owner[0])] * 4
    assert told["Gid"] == [str(owner[1])] * 4
    assert told["Groups"] == []
    assert {told[name][0] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert told["NoNewPrivs"] == ["1"]
    assert told["Umask"] == ["0022"]
    assert told["NSsid"][-1] == told["NSpgid"][-1] == told["NSpid"][-1]
    assert Path(f"/proc/{agent.pid}/cwd").readlink() == Path(f"/proc/{agent.pid}/root").readlink()
    assert Path(f"/proc/{agent.pid}/root/app").stat().st_ino == (sliver.root / "app").stat().st_ino
    own = Path(f"/proc/{init.pid}/cgroup").read_text()
    assert Path(f"/proc/{agent.pid}/cgroup").read_text() == own
    assert SLIVER_MARK.encode() not in Path(f"/proc/{agent.pid}/environ").read_bytes()


async def test_an_agent_is_in_its_sliver_and_has_nothing_besides(
    sliver: Place, bubblewrap: SliverDriver
) -> None:
    agent = await begun(sliver)
    is_as_it_should(agent, sliver, bubblewrap.owner(sliver))
    # The one by which it gets its configuration is closed when it has read that.
    await until(lambda: not {"pipe", "unix"} & kinds(agent.pid, above=2))
    known = {"/dev/null", "pipe", "socket", "anon_inode"}
    # A file that it reads at this moment is none that it keeps.
    await until(lambda: kinds(agent.pid, above=-1) <= known)


def kinds(pid: int, *, above: int) -> set[str]:
    """What kinds of descriptors a process has."""
    found = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        # It may have closed it since.
        with contextlib.suppress(FileNotFoundError):
            if int(path.name) > above:
                found.add(str(path.readlink()).partition(":")[0])
    return found


def holds_nothing(server: int) -> None:
    environ = Path(f"/proc/{server}/environ").read_bytes()
    assert {one.partition(b"=")[0] for one in environ.split(b"\0") if one} <= {
        b"PATH",
        b"LANG",
        b"MALLOC_ARENA_MAX",
    }
    with Path(f"/proc/{server}/mem").open("rb") as memory:
        for line in Path(f"/proc/{server}/maps").read_text().splitlines():
            words = line.split()
            if words[1].startswith("rw"):
                start, end = (int(word, 16) for word in words[0].split("-"))
                memory.seek(start)
                assert b"a-secret-of-the-" + b"node" not in memory.read(end - start)


async def test_an_application_finds_no_credential_of_a_forked_agent(sliver: Place, forks: Forking) -> None:
    agent = await begun(sliver)
    inner = ask(sliver, op="agent")["pid"]
    assert (await asyncio.to_thread(python, sliver, SEARCH)).strip() == "[]"
    attach = (
        "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True);"
        f"print(libc.ptrace(16, {inner}, 0, 0), ctypes.get_errno(),"
        f" [libc.syscall(438, os.pidfd_open({inner}), number, 0) for number in (1, 3, 4, 5)])"
    )
    assert (await asyncio.to_thread(python, sliver, attach)).strip() == "-1 1 [-1, -1, -1, -1]"
    # The server is in no sliver, listens nowhere, and holds nothing that one could ask it for.
    server = server_of(forks)
    assert status(server)["NSpid"] == [str(server)]
    assert not [one for one in psutil.Process(server).net_connections() if one.status == "LISTEN"]
    holds_nothing(server)
    assert agent.is_running()


RACE = """
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
for pid in map(int, filter(str.isdecimal, os.listdir('/proc'))):
    if pid > 1 and pid != os.getpid():
        try: os.kill(pid, 9)
        except OSError: pass
end, seen, won = time.monotonic() + 4, set(), []
while time.monotonic() < end or not seen and time.monotonic() < end + 40:
    for pid in map(int, filter(str.isdecimal, os.listdir('/proc'))):
        if pid in (1, os.getpid()) or pid in seen and time.monotonic() % 1 < .5:
            continue
        seen.add(pid)
        if libc.ptrace(0x4206, pid, 0, 0) == 0: won.append(('seized', pid))
        for name in ('mem', 'environ', 'maps'):
            try:
                # Of one that has ended they are empty, and open to all.
                if open(f'/proc/{pid}/{name}', 'rb').read(1): won.append((name, pid))
            except OSError: pass
        try: won.append(os.listdir(f'/proc/{pid}/fd'))
        except OSError: pass
print(len(seen) > 0, won)
"""


async def test_there_is_no_moment_at_which_a_forked_agent_can_be_looked_into(
    sliver: Place,
) -> None:
    first = await begun(sliver)
    # It ends its agent, and looks at all that comes, with what is between, from the first moment on.
    assert (await asyncio.to_thread(python, sliver, RACE)).strip() == "True []"
    next_ = await begun(sliver)
    assert next_.pid != first.pid
    assert is_forked(next_)


async def test_an_application_can_neither_offer_agents_nor_say_which_is_the_agent(sliver: Place) -> None:
    await begun(sliver)
    for more in ({"forks": agent_inside()}, {"forked": {"serial": 1, "pid": 7}}):
        code = (
            "import json, socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/dsmt/init.sock');"
            f"s.sendall(json.dumps({ {'op': 'agent', **more}!r}).encode() + b'\\n');"
            "print(json.loads(s.recv(4096))['takes_forks'])"
        )
        assert (await asyncio.to_thread(python, sliver, code)).strip() == "False"


async def test_agents_live_on_without_the_server_and_begin_without_it(
    sliver: Place, forks: Forking
) -> None:
    agent, server = await begun(sliver), server_of(forks)
    os.kill(server, signal.SIGKILL)
    await until(lambda: not psutil.pid_exists(server) or psutil.Process(server).status() == "zombie")
    assert agent.is_running()
    # The next one needs a server: another is begun.
    second = await next_forked(sliver, agent)
    assert is_forked(second)
    await forks.close()
    # Nobody offers any more: the init does it by itself, and what lives is left alone.
    assert second.is_running()
    second.kill()
    await until(lambda: (found := agent_of(sliver)) is not None and found != second)
    assert not is_forked(await begun(sliver))


async def test_a_server_that_does_not_begin_costs_no_agent(
    bubblewrap: SliverDriver,
    place_of: Callable[[Slice], Place],
    forks: Forking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = place_of(Slice("alone"))

    def broken(*_: Any) -> int:
        raise OSError("no process is free")

    monkeypatch.setattr("agents.container_manager.forks._started", broken)
    await asyncio.to_thread(boot, bubblewrap, place)
    try:
        await forks.attend(place)
        await asyncio.to_thread(agent_orders.tell, place, bubblewrap.owner(place), {"start": True})
        assert not is_forked(await begun(place))
    finally:
        await asyncio.to_thread(bubblewrap.destroy, place, grace_s=0.2)


async def test_who_comes_late_gets_no_configuration(
    bubblewrap: SliverDriver, place_of: Callable[[Slice], Place], forks: Forking
) -> None:
    """A process that is no child of the init is not given anything, whatever the node says it is."""
    place = place_of(Slice("late"))
    await asyncio.to_thread(boot, bubblewrap, place)
    try:
        monkey = forks._server
        monkey.fork = lambda _owner, _descriptors: 4_000_000  # type: ignore[method-assign,assignment]
        await forks.attend(place)
        await asyncio.to_thread(agent_orders.tell, place, bubblewrap.owner(place), {"start": True})
        assert not is_forked(await begun(place))
        assert local_socket.ask(place.init_socket, {"op": "agent"}, timeout_s=60)["starts"] == 1
    finally:
        await asyncio.to_thread(bubblewrap.destroy, place, grace_s=0.2)
