"""Groups of version 2 over a directory tree with the file names of the kernel."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agents.container_manager.limits import finding
from agents.container_manager.limits.groups import Groups, Tree
from agents.container_manager.limits.hierarchies import CPU, MEMORY, PIDS
from agents.sliver_init.groups import Groups as InitGroups
from dsmt_core.errors import Unavailable
from dsmt_core.limits import NO_LIMITS, Limits

ALL = frozenset({MEMORY, CPU, PIDS})
FILES = ("cgroup.procs", "cgroup.subtree_control", "memory.max", "memory.swap.max", "cpu.max", "pids.max")
LIMITS = Limits(memory=64 << 20, cpu=0.5, processes=100)


def kernel(directory: Path) -> None:
    """What the kernel puts into each new group."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (directory / name).write_text("")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for group in ("dsmt-x", "dsmt-x/own", "dsmt-x/apps", "dsmt-x/apps/other"):
        kernel(tmp_path / group)
    return tmp_path


def said(tree: Path, name: str) -> str:
    return (tree / "dsmt-x" / name).read_text()


def test_controllers_are_handed_down_and_limits_stand_where_the_applications_are(tree: Path) -> None:
    groups = Groups((Tree(2, ALL, tree),))
    groups.make("x", (os.getuid(), os.getgid()))
    groups.limit("x", LIMITS)
    for name in ("cgroup.subtree_control", "apps/cgroup.subtree_control"):
        assert said(tree, name) == "+cpu +memory +pids"
    assert said(tree, "own/cgroup.subtree_control") == ""
    assert (said(tree, "apps/memory.max"), said(tree, "apps/memory.swap.max")) == (str(64 << 20), "0")
    assert (said(tree, "apps/cpu.max"), said(tree, "apps/pids.max")) == ("50000 100000", "100")
    assert (said(tree, "own/memory.max"), said(tree, "own/pids.max")) == (str(512 << 20), "512")
    assert groups.entry("x") == [str(tree / "dsmt-x/own/cgroup.procs")]
    assert groups.enforced == {"memory": "cgroup2", "cpu": "cgroup2", "processes": "cgroup2"}
    assert groups.has("x")


def test_what_is_used_is_read_from_the_applications(tree: Path) -> None:
    apps = tree / "dsmt-x" / "apps"
    groups = Groups((Tree(2, ALL, tree),))
    assert groups.use("x").memory is None
    (apps / "memory.current").write_text("5000\n")
    (apps / "memory.stat").write_text("anon 100\ninactive_file 1000\n")
    (apps / "cpu.stat").write_text("usage_usec 2500000\n")
    assert (groups.use("x").memory, groups.use("x").cpu_s) == (4000, 2.5)


def test_a_kernel_that_refuses_says_so(tree: Path) -> None:
    groups = Groups((Tree(2, ALL, tree),))
    (tree / "dsmt-x/apps/pids.max").unlink()
    with pytest.raises(Unavailable, match="cannot be kept"):
        groups.limit("x", LIMITS)
    with pytest.raises(Unavailable, match="cannot be opened"):
        Groups((Tree(2, ALL, tree / "elsewhere"),)).doors("x")
    assert not Groups((Tree(2, ALL, tree / "elsewhere"),)).has("x")


def test_an_init_moves_what_it_starts_and_tells_what_the_kernel_killed(tree: Path) -> None:
    groups = Groups((Tree(2, ALL, tree),))
    doors = groups.doors("x")
    try:
        init = InitGroups({"gates": doors.gates, "apps": doors.apps, "version": doors.version})
        apps = tree / "dsmt-x" / "apps"
        kernel(apps / "app-web")
        (apps / "app-web/memory.oom.group").write_text("0")
        assert init.prepare("web") == "app-web"
        init.enter("app-web")
        assert (apps / "other/cgroup.procs").read_text() == "0"
        assert (apps / "app-web/cgroup.procs").read_text() == "0"
        (apps / "app-web/cgroup.procs").write_text("7\n8\n0\n")
        assert init.processes() == {7: "web", 8: "web"}
        (apps / "app-web/memory.events").write_text("oom 2\noom_kill 2\noom_group_kill 1\n")
        assert init.killed("web") == 2
        init.begun("web")
        assert init.killed("web") == 0
        (apps / "memory.max").write_text("67108864\n")
        assert init.memory_limit() == 64 << 20
        (apps / "memory.max").write_text("max\n")
        assert init.memory_limit() == 0
        # However an application is called, it is no file of the kernel.
        assert init.prepare("memory.max") == "app-memory.max"
    finally:
        doors.close()


def test_an_init_without_groups_does_nothing() -> None:
    init = InitGroups({})
    assert init.prepare("web") == "other"
    init.enter("other")
    init.begun("web")
    assert (init.killed("web"), init.memory_limit(), init.processes()) == (0, 0, {})


def test_the_manager_goes_aside_before_it_hands_controllers_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = tmp_path / "dsmt-node.service"
    for group in (service, service / "manager"):
        kernel(group)
        (group / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
        (group / "cgroup.type").write_text("domain\n")
    monkeypatch.setattr(
        finding,
        "read",
        lambda path: (
            {
                "/proc/self/mountinfo": f"30 23 0:26 / {tmp_path} rw - cgroup2 cgroup2 rw",
                "/proc/self/cgroup": "0::/dsmt-node.service",
            }.get(str(path))
            or Path(path).read_text()
        ),
    )
    found = finding.found_groups()
    assert found.trees == (Tree(2, ALL, service),)
    assert (service / "manager/cgroup.procs").read_text() == "0"
    assert (service / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"


def test_a_limit_of_nothing_takes_all_away(tree: Path) -> None:
    groups = Groups((Tree(2, ALL, tree),))
    groups.limit("x", LIMITS)
    groups.limit("x", NO_LIMITS)
    assert (said(tree, "apps/memory.max")[:3], said(tree, "apps/pids.max")[:3]) == ("max", "max")
