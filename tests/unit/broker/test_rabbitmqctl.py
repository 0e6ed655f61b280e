"""RabbitMQ's own tool: asked again while its server runs and is not reached, and what is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.server.program import Program
from dsmt_core.errors import DsmtError, Unavailable

# As RabbitMQ 3.10 says it.
NOT_REACHED = """\
Error: unable to perform an operation on node 'rabbit@h'. Please see diagnostics below.

Most common reasons for this are:

 * Target node is not running

DIAGNOSTICS
===========

attempted to contact: ['rabbit@h']

rabbit@h:
  * TCP connection succeeded but Erlang distribution failed

Current node details:
 * Erlang cookie hash: x
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.setattr("broker.server.program.PROGRAM", tmp_path / "rabbitmq-server")
    monkeypatch.setattr("broker.server.program._AGAIN_S", 0.01)
    monkeypatch.setattr(Program, "running", True)
    made = Program(tmp_path)
    made.environment = {"PATH": "/usr/bin:/bin", "HERE": str(tmp_path)}
    return made


def says(program: Program, script: str) -> None:
    (program.folder / "says").write_text(NOT_REACHED)
    tool = program.folder / "rabbitmqctl"
    tool.write_text(f'#!/bin/sh\ncd "$HERE"; echo >> tries\n{script}\n')
    tool.chmod(0o755)


def tries(program: Program) -> int:
    return len((program.folder / "tries").read_text().splitlines())


def test_a_server_that_is_not_reached_is_asked_again(program: Program) -> None:
    says(program, '[ "$(wc -l < tries)" -gt 4 ] && echo well && exit; cat says >&2; exit 69')
    assert program.control("status") == "well\n"
    assert tries(program) == 5


def test_one_that_has_ended_is_not_and_the_reason_is_told(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(program, "cat says >&2; exit 69")
    monkeypatch.setattr(Program, "running", False)
    with pytest.raises(Unavailable) as told:
        program.control("status")
    assert told.value.message == (
        "rabbitmqctl status failed: Error: unable to perform an operation on node 'rabbit@h'."
        " Please see diagnostics below. ['rabbit@h'] rabbit@h:"
        " * TCP connection succeeded but Erlang distribution failed"
    )
    assert tries(program) == 1
    monkeypatch.setattr(Program, "running", True)
    with pytest.raises(Unavailable):
        program.control("status", timeout_s=0.3)
    assert tries(program) > 2


def test_what_the_server_refuses_is_not_asked_again(program: Program) -> None:
    says(program, 'echo "Error:\n{bad, definitions}" >&2; exit 70')
    with pytest.raises(DsmtError, match=r"^rabbitmqctl status failed: Error: \{bad, definitions\}$"):
        program.control("status")
    assert tries(program) == 1
