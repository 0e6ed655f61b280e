"""The shell: from a pipe, from a file, and at a real terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.fake_planner import Fake, a_slice
from tests.integration.dsmtc.test_completion import a_node

PATIENCE_S = 60.0
# What moves the cursor or sets a mode.
_SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A process at a pseudo terminal."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self.process = process
        self.seen = ""

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def until(self, text: str) -> None:
        """Wait until the screen has shown ``text`` since the last wait."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} did not appear in {self.seen!r}"
            if select.select([self._master], [], [], left)[0]:
                self.seen += _SEQUENCES.sub("", os.read(self._master, 65_536).decode(errors="replace"))
        self.seen = self.seen.partition(text)[2]

    def end(self) -> int:
        """The exit code, when it has ended."""
        return self.process.wait(timeout=PATIENCE_S)


@contextmanager
def terminal(dsmtc: Dsmtc, *words: str) -> Iterator[Terminal]:
    """``dsmtc`` at a terminal of its own."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dsmtc.main", *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=dsmtc.outside(
            {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "NO_COLOR": "1", "COLUMNS": "120"}
        ),
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_the_guides_transcript_works_from_a_pipe(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["my_slice"] = a_slice("my_slice", managed=False)
    typed = """
    # as the guide shows it
    manage
    setagent --agent deployment-agent
    plan set --plan goodNodes --base minus left=all_nodes right=failed
    setplan --plan goodNodes   # and no more
    whoami --json
    exit
    nonsense
    """
    ended = dsmtc.process("--cli", "--slice", "my_slice", typed=typed)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == "slice my_slice is managed now"
    assert fake.slices["my_slice"]["plan"] == "goodNodes"
    assert fake.logins == 1


def test_a_pipe_stops_at_the_first_error_with_its_code(dsmtc: Dsmtc, fake: Fake) -> None:
    typed = "whoami\nplan show --plan\nwhoami\nuse nowhere\n"
    ended = dsmtc.process("--cli", typed=typed)
    assert ended.code == 2
    assert len(ended.out.splitlines()) == 1
    going = dsmtc.process("shell", "--keep-going", typed=typed)
    assert going.code == 2
    assert len(going.out.splitlines()) == 2
    assert "there is no slice nowhere" in going.err


def test_commands_come_from_a_file(dsmtc: Dsmtc, fake: Fake, tmp_path: Path) -> None:
    fake.slices["a"], fake.slices["b"] = a_slice("a"), a_slice("b")
    script = tmp_path / "commands"
    script.write_text("use b\nunmanage\n!echo from the system\n!exit 9\nwhoami\n")
    ended = dsmtc.process("shell", str(script))
    assert ended.code == 9
    assert "from the system" in ended.out
    assert (fake.slices["a"]["managed"], fake.slices["b"]["managed"]) == (True, False)
    assert dsmtc.process("shell", str(tmp_path / "none")).code == 3


def test_a_shell_in_a_shell_and_a_quote_without_end_are_refused(dsmtc: Dsmtc) -> None:
    assert "shell already" in dsmtc.process("--cli", typed="whoami\nshell\n").err
    assert dsmtc.process("--cli", typed="plan show --plan 'x\n").code == 2


def test_the_prompt_is_the_guides_and_errors_leave_it_open(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["my_slice"] = a_slice("my_slice")
    fake.slices["other"] = a_slice("other")
    with terminal(dsmtc, "--cli", "--slice", "my_slice") as screen:
        screen.until("dsmtc me@example.com [user] my_slice>")
        screen.type("mange\r")
        screen.until("did you mean manage?")
        screen.until("my_slice>")
        screen.type("man\t")
        screen.until("age")
        screen.type("\r")
        screen.until("slice my_slice was managed already")
        screen.until("my_slice>")
        screen.type("use oth\t")
        screen.until("> use oth")
        screen.until("er")
        screen.type("\r")
        screen.until("dsmtc me@example.com [user] other>")
        screen.type("forgotten\x03")
        screen.until("other>")
        screen.type("whoami\r")
        screen.until("[user] slices: my_slice, other")
        screen.type("quit\r")
        assert screen.end() == 0
    assert fake.logins == 1
    history = (dsmtc.home / ".dsmt" / "history").read_text()
    assert "+use other" in history


def test_the_prompt_without_a_slice_has_none(dsmtc: Dsmtc) -> None:
    with terminal(dsmtc, "--cli") as screen:
        screen.until("dsmtc me@example.com [user]>")
        screen.type("\x04")
        assert screen.end() == 0


def test_a_password_is_asked_for_and_not_shown(stranger: Dsmtc, fake: Fake, server: object) -> None:
    stranger.url = server.url  # type: ignore[attr-defined]
    with terminal(stranger, "whoami", "--user", "me@example.com") as screen:
        screen.until("Password of me@example.com: ")
        screen.type("secret\r")
        screen.until("me@example.com [user]")
        assert "secret" not in screen.seen
        assert screen.end() == 0


def test_the_page_of_the_fleet_is_shown_and_left(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.nodes = [a_node("node1.example.org")]
    with terminal(dsmtc, "top") as screen:
        screen.until("node1.example.org")
        screen.type("q")
        assert screen.end() == 0


def test_ctrl_c_ends_a_watch_with_130_and_without_a_trace(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.slices["xyz1"] = a_slice("xyz1")
    with terminal(dsmtc, "status", "--watch") as screen:
        screen.until("pinger")
        screen.process.send_signal(signal.SIGINT)
        assert screen.end() == 130
        assert "Traceback" not in screen.seen


def test_a_reader_that_leaves_is_no_story(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.events = 20_000
    words = [sys.executable, "-m", "dsmtc.main", "events"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dsmtc.outside({})
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=PATIENCE_S) == 141


def test_a_script_tells_in_which_line_it_ended(dsmtc: Dsmtc, tmp_path: Path) -> None:
    script = tmp_path / "commands"
    script.write_text("whoami\n# a comment\nwhoami \\\n  --json\nnosuch\nwhoami\n")
    ended = dsmtc("shell", str(script))
    assert (ended.code, ended.out.count("me@example.com")) == (2, 2), ended
    assert f"at {script}, line 5: nosuch; nothing behind it was carried out" in ended.err
    assert "line 1: " in dsmtc("--cli", "--keep-going", typed="nosuch\n").err


def test_a_huge_word_is_not_said_again_in_full(dsmtc: Dsmtc) -> None:
    for line in ("a" * 300_000, f"nodes --{'b' * 9_000}", f"nodes {'c' * 9_000}"):
        ended = dsmtc("--cli", typed=f"{line}\n")
        assert ended.code in {2, 3}
        assert len(ended.err) < 7_000
