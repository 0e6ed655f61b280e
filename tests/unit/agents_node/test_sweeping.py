"""Groups of slivers that are no more are removed, and nobody else's."""

from __future__ import annotations

from pathlib import Path

from agents.container_manager.limits.groups import PREFIX, Groups, Tree
from agents.container_manager.limits.sweeping import sweep
from agents.container_manager.slivers.place import Place
from dsmt_core.names import Host, Slice


def test_only_own_groups_of_vanished_slivers_go(tmp_path: Path) -> None:
    def place(name: Slice, node: str = "node") -> Place:
        return Place(name, Host("h1"), tmp_path / node / name)

    base = tmp_path / "cgroup"
    gone, there = place(Slice("gone")), place(Slice("there"))
    there.directory.mkdir(parents=True)
    others = place(Slice("gone"), "another")
    left = [there.mark, others.mark, "try.123", "gone", "manager"]
    for mark in (gone.mark, *left):
        (base / f"{PREFIX}{mark}" / "apps" / "other").mkdir(parents=True)
    groups = Groups((Tree(2, frozenset({"memory"}), base),))
    assert sweep(groups, place) == [gone.mark]
    assert sorted(path.name for path in base.iterdir()) == sorted(f"{PREFIX}{mark}" for mark in left)
    assert sweep(Groups((Tree(2, frozenset(), tmp_path / "nowhere"),)), place) == []
