"""Programs that tell facts of a machine: real ones, among them such that hang, fail, and never stop."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.fact_programs import MOST, PROGRAMS, TROUBLE, VALID_LOOKS, FactPrograms
from agents.told_facts import BYTES, FACTS, read_facts


def program(directory: Path, name: str, text: str, *, mode: int = 0o755) -> Path:
    file = directory / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(mode)
    return file


def plain(directory: Path, name: str, text: str) -> None:
    file = directory / name
    file.write_text(text)
    file.chmod(0o644)


# What is read -----------------------------------------------------------------------------------------


def test_lines_and_json_are_read() -> None:
    assert read_facts(b"# of us\n\ngpus = 4\nmodel=A=B\n").facts == {"gpus": "4", "model": "A=B"}
    found = read_facts(json.dumps({"gpus": 4, "spare": True, "load": 1.5, "owner": None}).encode())
    assert (found.facts, found.trouble) == ({"gpus": "4", "spare": "true", "load": "1.5"}, "")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (b"gpus", "gpus has no value"),
        (b"Gpus=1", "'Gpus' is no name of a fact"),
        (b"inv.gpus=1", "'inv.gpus' is no name of a fact"),
        (b"gpus=" + b"x" * 257, "more than 256 characters"),
        (b"gpus=\x01", "not legal in an event"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"{", "no JSON"),
        (b'{"a":' * 3_000, "no JSON"),
        (b'{"gpus": [1]}', "neither a text nor a number"),
        (b"x" * (BYTES + 1), "more than 16384 bytes"),
        ("\n".join(f"a{number}=1" for number in range(FACTS + 1)).encode(), "more than 64 facts"),
    ],
)
def test_what_is_not_legal_is_left_out_and_told(output: bytes, words: str) -> None:
    found = read_facts(output)
    assert words in found.trouble
    assert len(found.facts) in {0, FACTS}


def test_as_much_is_read_as_is_allowed() -> None:
    assert read_facts(b"a=" + b"x" * 256).facts == {"a": "x" * 256}
    assert read_facts(b"#" + b"x" * (BYTES - 1)).trouble == ""
    assert read_facts(b'  \n {"a": "1"}').facts == {"a": "1"}
    many = "\n".join(f"a{number}=1" for number in range(FACTS)).encode()
    # One that is told again takes no further room.
    again = read_facts(many + b"\na0=2")
    assert (again.facts["a0"], len(again.facts), again.trouble) == ("2", FACTS, "")


@pytest.mark.parametrize(
    ("output", "trouble"),
    [
        (b"\n\n# gpus\n#\n", ""),
        (b"A" * 41 + b"=1", f"{'A' * 40!r} is no name of a fact: small letters, digits and _"),
        (b"gpus", "gpus has no value, or one that is neither a text nor a number"),
        (b"gpus\nB=1", "gpus has no value, or one that is neither a text nor a number"),
        (b"a=" + b"x" * 257, "the value of a has more than 256 characters"),
        (b"a=\x01", "a holds a character that is not legal in an event"),
    ],
)
def test_the_first_thing_that_is_wrong_is_told(output: bytes, trouble: str) -> None:
    assert (read_facts(output).facts, read_facts(output).trouble) == ({}, trouble)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_is_said_is_read_or_told(output: bytes) -> None:
    found = read_facts(output)
    assert all(name.isidentifier() for name in found.facts)


# What is run ------------------------------------------------------------------------------------------


async def test_programs_and_files_of_a_directory_are_asked(tmp_path: Path) -> None:
    program(tmp_path, "10-gpu.sh", "echo gpus=4; echo token=${DSMT_NODE_TOKEN-none}")
    plain(tmp_path, "20-place.txt", "rack=r7\n")
    plain(tmp_path, "30-more.json", '{"owner": "us"}')
    plain(tmp_path, "README.md", "gpus=9")
    plain(tmp_path, ".hidden.txt", "gpus=9")
    (tmp_path / "folder").mkdir()
    assert await FactPrograms(tmp_path).look() == {
        "gpus": "4",
        "token": "none",
        "rack": "r7",
        "owner": "us",
    }
    assert await FactPrograms(tmp_path / "none").look() == {}


async def test_one_that_hangs_takes_its_time_and_its_children_and_nothing_else(tmp_path: Path) -> None:
    left = tmp_path / "left"
    program(tmp_path, "1-hang.sh", f"sleep 600 & echo $! > {left}\nwait")
    program(tmp_path, "2-well.sh", "echo gpus=4")
    program(tmp_path, "3-loud.sh", "exec yes gpus=1")
    program(tmp_path, "4-fails.sh", "echo gpus=1; exit 3")
    began = time.monotonic()
    found = await FactPrograms(tmp_path, limit_s=1.0).look()
    assert time.monotonic() - began < 20
    assert found["gpus"] == "4"
    assert found[TROUBLE] == (
        "1-hang.sh: no answer within 1 s; 3-loud.sh: it says more than 16384 bytes; "
        "4-fails.sh: it ended with 3"
    )
    assert ends(left)


async def test_what_a_program_leaves_behind_with_its_output_holds_nothing_up(tmp_path: Path) -> None:
    left = tmp_path / "left"
    program(tmp_path, "1-daemon.sh", f"setsid sleep 600 & echo $! > {left}")
    began = time.monotonic()
    try:
        found = await FactPrograms(tmp_path, limit_s=1.0).look()
        assert time.monotonic() - began < 20
        assert found == {TROUBLE: "1-daemon.sh: no answer within 1 s"}
    finally:
        os.kill(int(left.read_text()), signal.SIGKILL)


def ends(pid_file: Path) -> bool:
    # A whole group is killed at once, but each of it is gone when the kernel has come to it.
    deadline = time.monotonic() + 10
    while not ended(pid_file) and time.monotonic() < deadline:
        time.sleep(0.01)
    return ended(pid_file)


def ended(pid_file: Path) -> bool:
    status = Path(f"/proc/{pid_file.read_text().strip()}/status")
    return not status.exists() or "\nState:\tZ" in status.read_text()


async def test_what_one_said_holds_for_some_looks_when_it_fails(tmp_path: Path) -> None:
    file = program(tmp_path, "gpu.sh", "echo gpus=4")
    programs = FactPrograms(tmp_path)
    assert (await programs.look())["gpus"] == "4"
    program(tmp_path, "gpu.sh", "exit 1")
    for _ in range(VALID_LOOKS):
        assert await programs.look() == {"gpus": "4", TROUBLE: "gpu.sh: it ended with 1"}
    assert await programs.look() == {TROUBLE: "gpu.sh: it ended with 1"}
    program(tmp_path, "gpu.sh", "echo gpus=5")
    assert await programs.look() == {"gpus": "5"}
    file.unlink()
    assert await programs.look() == {}


async def test_the_first_that_tells_a_fact_is_believed(tmp_path: Path) -> None:
    plain(tmp_path, "1.txt", "gpus=4")
    plain(tmp_path, "2.txt", "gpus=5\nrack=r7")
    found = await FactPrograms(tmp_path).look()
    assert found == {"gpus": "4", "rack": "r7", TROUBLE: "2.txt: gpus is told by another one before"}


async def test_what_others_could_have_written_is_not_run(tmp_path: Path) -> None:
    program(tmp_path, "a.sh", "echo gpus=4", mode=0o777)
    assert await FactPrograms(tmp_path).look() == {TROUBLE: "a.sh: others may write it; chmod go-w"}
    if os.geteuid() == 0:
        os.chown(program(tmp_path, "a.sh", "echo gpus=4"), 12345, 12345)
        assert await FactPrograms(tmp_path).look() == {TROUBLE: "a.sh: it belongs to somebody else"}


async def test_no_more_than_some_are_asked(tmp_path: Path) -> None:
    for number in range(PROGRAMS + 1):
        plain(tmp_path, f"{number:03}.txt", f"f{number}=1")
    found = await FactPrograms(tmp_path).look()
    assert found[TROUBLE] == f"only the first {PROGRAMS} of {PROGRAMS + 1} are asked"
    assert len(found) == PROGRAMS + 1


async def test_no_more_than_so_many_facts_are_taken(tmp_path: Path) -> None:
    for number in range(3):
        plain(tmp_path, f"{number}.txt", "".join(f"f{number}_{one}=1\n" for one in range(FACTS)))
    found = await FactPrograms(tmp_path).look()
    assert found[TROUBLE] == f"only {MOST} of {3 * FACTS} facts are taken"
    assert len(found) == MOST + 1


async def test_a_program_that_is_none_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.sh"
    file.write_bytes(b"\x7fELF nonsense")
    file.chmod(0o755)
    assert (await FactPrograms(tmp_path).look())[TROUBLE] == "a.sh: Exec format error"
