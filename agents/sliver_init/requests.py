"""What the init does on request: run, spawn, processes, signal, reach, watch, limits, agent, end."""

from __future__ import annotations

import os
import signal

from agents.sliver_init.census import APPLICATION_MARK, SLIVER_MARK, Census
from agents.sliver_init.children import Children, Output
from agents.sliver_init.programs import DEFAULT_PATH, CannotStart
from agents.sliver_init.reaching import HOSTS, Reach
from agents.sliver_init.rlimits import KINDS
from agents.sliver_init.runs import KILL_S, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from agents.sliver_init.agent import Agent
    from agents.sliver_init.logs import Logs
    from agents.sliver_init.loop import Loop
    from agents.sliver_init.rlimits import Rlimits
    from agents.sliver_init.server import Client

    Request = dict[str, Any]

RUNS = 64
OUTPUT_BYTES = 1 << 20
TIMEOUT_S = 3600.0
REACH_S = 60.0


class Wrong(Exception):
    """A request is not legal; the message says what is wrong."""


class Requests:
    """Answers the requests of the agent and of the container manager."""

    def __init__(self, mark: str, *, loop: Loop, census: Census, children: Children, logs: Logs) -> None:
        self._mark = mark
        self._groups = children.groups
        self._loop = loop
        self._census = census
        self._children = children
        self._logs = logs
        self._runs: set[Run] = set()
        self._reaches: set[Reach] = set()
        self._operations: dict[str, Callable[[Request, Client], None]] = {
            "run": self._run,
            "spawn": self._spawn,
            "processes": self._processes,
            "signal": self._signal,
            "reach": self._reach,
            "watch": self._watch,
        }

    def more(self, agent: Agent, end: Callable[[float], None]) -> None:
        """Add what is for the manager: the agent's state and the end of the sliver."""
        self._operations["agent"] = lambda request, client: _agent(agent, request, client)
        self._operations["end"] = lambda request, client: _end(end, request, client)

    def bounded(self, rlimits: Rlimits) -> None:
        """Add what changes the bounds of programs; only who stands outside the sliver may."""
        self._operations["limits"] = lambda request, client: self._limits(rlimits, request, client)

    def handle(self, request: Request, client: Client) -> None:
        """Carry out one request; every failure is answered with a line that says what is wrong."""
        operation = self._operations.get(str(request.get("op")))
        try:
            if operation is None:
                _unknown(request)
            else:
                operation(request, client)
        except Wrong as error:
            client.answer({"error": str(error), "hint": f"operations: {', '.join(self._operations)}"})
        except (CannotStart, OSError) as error:
            client.answer(
                {"error": f"cannot start: {error}", "hint": "look at the program and its directory"}
            )

    def _run(self, request: Request, client: Client) -> None:
        if len(self._runs) >= RUNS:
            raise Wrong(f"{RUNS} runs are under way already")
        output = Output(self._loop, int(_number(request, "limit", 1 << 16, OUTPUT_BYTES)))
        try:
            pid = self._start(request, output.write)
        except BaseException:
            output.take()
            raise
        finally:
            output.close_write()

        def done(run: Run, answer: dict[str, Any]) -> None:
            self._runs.discard(run)
            client.answer(answer)

        run = Run(pid, _text(request, "application"), output, done)
        self._runs.add(run)
        self._children.when_ended(pid, run.ended)
        timeout = _number(request, "timeout", 60.0, TIMEOUT_S)
        self._loop.later(timeout, run.too_long)
        self._loop.later(timeout + KILL_S, run.give_up)

    def _spawn(self, request: Request, client: Client) -> None:
        self._groups.begun(_text(request, "application"))
        log = self._logs.open(_text(request, "log"), stamped=True)
        try:
            pid = self._start(request, log)
        finally:
            os.close(log)
        client.answer({"pid": pid})

    def _processes(self, request: Request, client: Client) -> None:
        application = _text(request, "application")
        pids = self._census.of(application, leaving_out=[run.pid for run in self._runs])
        exited = {str(pid): code for pid, code in self._children.exits(application).items()}
        answer: dict[str, Any] = {"pids": pids, "exited": exited}
        if runs := [run.pid for run in self._runs if run.application == application]:
            answer["runs"] = runs
        if killed := self._groups.killed(application):
            answer |= {"killed_for_memory": killed, "memory_limit": self._groups.memory_limit()}
        client.answer(answer)

    def _signal(self, request: Request, client: Client) -> None:
        application = _text(request, "application")
        if not application:
            raise Wrong("a signal needs the application whose processes get it")
        client.answer({"signalled": self._census.signal_all(_signal_number(request), application)})

    def _reach(self, request: Request, client: Client) -> None:
        if len(self._reaches) >= RUNS:
            raise Wrong(f"{RUNS} checks are under way already")
        host, port = _text(request, "host"), int(_number(request, "port", 0, 1 << 16))
        if host not in HOSTS or not 0 < port < 1 << 16:
            raise Wrong("a check goes to a port of 127.0.0.1, localhost or ::1")

        def done(reach: Reach, answer: dict[str, Any]) -> None:
            self._reaches.discard(reach)
            client.answer(answer)

        opened = self._children.network.socket(HOSTS[host])
        reach = Reach(self._loop, opened, (host, port), _text(request, "say"), done)
        self._reaches.add(reach)
        reach.begin()
        self._loop.later(_number(request, "timeout", 10.0, REACH_S), reach.too_long)

    def _limits(self, rlimits: Rlimits, request: Request, client: Client) -> None:
        if not client.is_outside:
            raise Wrong("only the node limits its sliver")
        rlimits.change({name: int(_number(request, name, 0, 1 << 62)) for name in KINDS})
        for pid, application in self._census.owners().items():
            if application:
                rlimits.set_of(pid)
        client.answer({"limited": True})

    def _watch(self, _request: Request, client: Client) -> None:
        def reaped(pid: int, code: int, application: str) -> None:
            client.tell({"reaped": pid, "exit": code, "application": application})

        self._children.watchers.append(reaped)
        client.on_close = lambda: self._children.watchers.remove(reaped)
        client.answer({"watching": True})

    def _start(self, request: Request, output: int) -> int:
        application = _text(request, "application")
        env = {"PATH": DEFAULT_PATH, "LANG": "C.UTF-8", "HOME": "/home"}
        env |= _environment(request)
        env[SLIVER_MARK] = self._mark
        env.pop(APPLICATION_MARK, None)
        if application:
            env[APPLICATION_MARK] = application
        cwd = _text(request, "cwd") or "/"
        return self._children.start(
            _argv(request), env=env, cwd=cwd, output=output, application=application
        )


def _unknown(request: Request) -> NoReturn:
    raise Wrong(f"{str(request.get('op'))[:40]!r} is not an operation")


def _agent(agent: Agent, request: Request, client: Client) -> None:
    if "config" in request:
        config = request["config"]
        if not client.is_outside or not isinstance(config, dict):
            raise Wrong("only the node configures the agent of its sliver")
        agent.configure(config)
    takes = "forks" in request and client.is_outside and agent.forks_offered(client, request["forks"])
    if isinstance(forked := request.get("forked"), dict) and client.is_outside:
        agent.fork_answered(forked)
    if request.get("start"):
        agent.want()
    if request.get("restart"):
        agent.restart()
    told = {"pid": agent.pid, "starts": agent.starts, "error": agent.error}
    client.answer({**told, "takes_config": agent.takes_config, "takes_forks": takes})


def _end(end: Callable[[float], None], request: Request, client: Client) -> None:
    grace = _number(request, "grace", 5.0, 60.0)
    client.answer({"ending": True})
    end(grace)


def _argv(request: Request) -> list[str]:
    argv = request.get("argv")
    if not isinstance(argv, list) or not argv or not all(_is_plain(word) for word in argv):
        raise Wrong("argv is not a list of texts")
    return argv


def _environment(request: Request) -> dict[str, str]:
    env = request.get("env") or {}
    if not isinstance(env, dict) or not all(_is_plain(value) for value in env.values()):
        raise Wrong("env is not an object of texts")
    if not all(_is_plain(name) and name and "=" not in name for name in env):
        raise Wrong("env has an illegal name")
    return env


def _text(request: Request, name: str) -> str:
    value = request.get(name) or ""
    if not _is_plain(value):
        raise Wrong(f"{name} is not a text")
    return str(value)


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


def _number(request: Request, name: str, default: float, most: float) -> float:
    value = request.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < float("inf"):
        raise Wrong(f"{name} is not a number from 0 on")
    return min(float(value), most)


def _signal_number(request: Request) -> int:
    value = request.get("signal")
    try:
        if isinstance(value, str):
            name = value if value.startswith("SIG") else f"SIG{value}"
            return int(signal.Signals[name])
        return int(signal.Signals(value))  # type: ignore[arg-type]
    except (KeyError, ValueError):
        raise Wrong(f"{str(value)[:40]!r} is not a signal") from None
