"""Who listens at a port, by what the kernel tells of processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.container_manager.ports import holder
from agents.sliver_init.census import APPLICATION_MARK, SLIVER_MARK

LISTENS = "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 {} 1"
TALKS = "   1: 0100007F:1F91 0100007F:0016 01 00000000:00000000 00:00000000 00000000     0        0 778 1"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "self" / "net").mkdir(parents=True)
    (tmp_path / "self" / "net" / "tcp").write_text("\n".join(["head", LISTENS.format(777), TALKS, ""]))
    return tmp_path


def process(proc: Path, pid: int, inode: int, **environment: str) -> None:
    (proc / str(pid) / "fd").mkdir(parents=True)
    (proc / str(pid) / "fd" / "3").symlink_to(f"socket:[{inode}]")
    (proc / str(pid) / "comm").write_text("webd\n")
    words = [f"{name}={value}" for name, value in environment.items()]
    (proc / str(pid) / "environ").write_bytes("\0".join(words).encode())


@pytest.mark.parametrize(
    ("environment", "who"),
    [
        (
            {SLIVER_MARK: "my_slice.0123abcd", APPLICATION_MARK: "web"},
            "the application web of the slice my_slice",
        ),
        ({SLIVER_MARK: "my_slice.0123abcd"}, "a program of the slice my_slice"),
        ({"PATH": "/bin"}, "the process webd (pid 12) of the node"),
    ],
)
def test_who_has_a_port_is_called_by_what_people_know(
    proc: Path, environment: dict[str, str], who: str
) -> None:
    process(proc, 11, 778)
    process(proc, 12, 777, **environment)
    assert holder([1, 8080], proc) == (8080, who)
    # Who only talks holds nothing.
    assert holder([8081], proc) == (0, "")


def test_who_may_not_be_looked_into_is_there_all_the_same(proc: Path) -> None:
    assert holder([8080], proc) == (8080, "a process that this node may not look into")
