"""What is written into cgroups and read out of them, for both versions."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from agents.container_manager.limits.hierarchies import CPU, CPUACCT, MEMORY, PIDS, Hierarchy, hierarchies
from agents.container_manager.limits.values import cpu_seconds, fields, memory_use, writes
from dsmt_core.limits import NO_LIMITS, Limits

LIMITS = Limits(memory=64 << 20, cpu=0.5, processes=100)
HYBRID = """\
24 30 0:22 / /proc rw,nosuid - proc proc rw
31 30 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755
32 31 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw
33 31 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
34 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
35 31 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
36 31 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
37 31 0:31 / /other/memory rw - cgroup cgroup rw,memory
broken line
38 31 0:31 / /x rw - cgroup
"""
HYBRID_MINE = """\
12:cpu,cpuacct:/system.slice/dsmt-node.service
9:memory:/system.slice/dsmt-node.service
7:pids:/
1:name=systemd:/system.slice/dsmt-node.service
0::/system.slice/dsmt-node.service
nonsense
"""


def test_a_hybrid_machine_has_a_tree_for_each_controller_and_one_for_the_rest() -> None:
    service = "system.slice/dsmt-node.service"
    assert set(hierarchies(HYBRID, HYBRID_MINE)) == {
        Hierarchy(2, frozenset(), PurePosixPath(f"/sys/fs/cgroup/unified/{service}")),
        Hierarchy(1, frozenset({CPU, CPUACCT}), PurePosixPath(f"/sys/fs/cgroup/cpu,cpuacct/{service}")),
        Hierarchy(1, frozenset({MEMORY}), PurePosixPath(f"/sys/fs/cgroup/memory/{service}")),
        Hierarchy(1, frozenset({PIDS}), PurePosixPath("/sys/fs/cgroup/pids")),
    }


@pytest.mark.parametrize(
    ("root", "path", "own"),
    [
        ("/", "/a/b", "/sys/fs/cgroup/a/b"),
        # Of a container whose mount shows its own part only.
        ("/docker/abc", "/docker/abc/x", "/sys/fs/cgroup/x"),
        ("/docker/abc", "/elsewhere", None),
        # A name space of its own, entered from outside: what lies above it is not shown.
        ("/", "/../x", None),
    ],
)
def test_the_way_to_oneself_is_below_what_is_mounted(root: str, path: str, own: str | None) -> None:
    mount = f"30 23 0:26 {root} /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
    found = hierarchies(mount, f"0::{path}")
    assert [str(one.own) for one in found] == ([own] if own else [])


def test_spaces_in_a_mount_point_are_escaped_by_the_kernel() -> None:
    mount = r"30 23 0:26 / /a\040b rw - cgroup2 cgroup2 rw"
    assert [one.own for one in hierarchies(mount, "0::/")] == [PurePosixPath("/a b")]


@pytest.mark.parametrize(
    ("version", "controller", "limits", "expected"),
    [
        (2, MEMORY, LIMITS, [("memory.swap.max", "0"), ("memory.max", "67108864")]),
        (2, MEMORY, NO_LIMITS, [("memory.swap.max", "max"), ("memory.max", "max")]),
        (2, CPU, LIMITS, [("cpu.max", "50000 100000")]),
        (2, CPU, NO_LIMITS, [("cpu.max", "max 100000")]),
        (2, PIDS, LIMITS, [("pids.max", "100")]),
        (1, PIDS, NO_LIMITS, [("pids.max", "max")]),
        (1, CPU, LIMITS, [("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "50000")]),
        (1, CPU, NO_LIMITS, [("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "-1")]),
        (
            1,
            MEMORY,
            LIMITS,
            [
                ("memory.memsw.limit_in_bytes", "-1"),
                ("memory.limit_in_bytes", "67108864"),
                ("memory.memsw.limit_in_bytes", "67108864"),
            ],
        ),
        (1, CPUACCT, LIMITS, []),
    ],
)
def test_what_is_written(
    version: int, controller: str, limits: Limits, expected: list[tuple[str, str]]
) -> None:
    assert [(file, text) for file, text, _ in writes(version, controller, limits)] == expected


def test_a_kernel_without_swap_accounting_is_enough() -> None:
    needed = [write.file for version in (1, 2) for write in writes(version, MEMORY, LIMITS) if write.needed]
    assert needed == ["memory.limit_in_bytes", "memory.max"]


def test_memory_that_can_be_dropped_at_once_is_not_used() -> None:
    assert memory_use(2, "1000\n", "anon 200\ninactive_file 300\n") == 700
    assert memory_use(1, "1000\n", "inactive_file 1\ntotal_inactive_file 400\n") == 600
    assert memory_use(1, "100", "total_inactive_file 400") == 0
    assert memory_use(2, "", "inactive_file 300") is None


def test_cpu_time_is_in_seconds() -> None:
    assert cpu_seconds(2, "usage_usec 1500000\nuser_usec 1\n") == 1.5
    assert cpu_seconds(1, "2500000000\n") == 2.5
    assert cpu_seconds(2, "user_usec 1") is None
    assert cpu_seconds(1, "") is None


def test_lines_that_are_no_figures_are_passed_over() -> None:
    assert fields("a 1\nb\nc x\n d 4\ne 5") == {"a": 1, "e": 5}
