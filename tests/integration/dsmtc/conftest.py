"""A planner's face on loopback, and ``dsmtc`` as a process against it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dsmtc.main import main
from tests.integration.dsmtc.fake_planner import Fake, Server

ACCOUNT = "account: me@example.com\npassword: secret\nrole: user\n"


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its answer as JSON."""
        return json.loads(self.out)


@dataclass
class Dsmtc:
    """Runs ``dsmtc`` as a person with a home of their own.

    Called, it carries a line out in this process, as the program does after its start; `process` starts
    the program itself, for what only a process shows.
    """

    home: Path
    url: str
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, typed: str = "", **more: str) -> Ended:
        """One command, to its end."""
        out, err, before = io.StringIO(), io.StringIO(), sys.stdin
        sys.stdin = io.StringIO(typed)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main(words, self.outside(more))
        finally:
            sys.stdin = before
        return Ended(code, out.getvalue(), err.getvalue())

    def process(self, *words: str, typed: str = "", **more: str) -> Ended:
        """The same as a process."""
        done = subprocess.run(
            [sys.executable, "-m", "dsmtc.main", *words],
            env=self.outside(more),
            input=typed,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def outside(self, more: Mapping[str, str]) -> dict[str, str]:
        """The environment of a command: nothing of the tester's own DSMT."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("DSMT_")}
        planner = {"DSMT_PLANNER": self.url} if self.url else {}
        return {**own, "HOME": str(self.home), **planner, **self.environment, **more}

    def write_account(self, text: str = ACCOUNT, mode: int = 0o600) -> Path:
        """The account file."""
        path = self.home / ".dsmt" / "account"
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)
        path.chmod(mode)
        return path


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.stop()


@pytest.fixture
def fake(server: Server) -> Fake:
    return server.fake


@pytest.fixture
def dsmtc(server: Server, tmp_path: Path) -> Dsmtc:
    """A person with an account file, at the planner's face."""
    person = Dsmtc(tmp_path, server.url)
    person.write_account()
    return person


@pytest.fixture
def stranger(tmp_path: Path) -> Dsmtc:
    """A person without an account file, and without a planner."""
    return Dsmtc(tmp_path, "http://127.0.0.1:1")
