"""Limits of slivers as people read them."""

from __future__ import annotations

from dsmtc.client import LimitsShown
from dsmtc.rendering.limits import limits
from dsmtc.rendering.table import lines

NONE = LimitsShown(
    slice="s1", memory=0, cpu=0.0, processes=0, disk=0, files=0, network="host", text="none", hosts=[]
)


def test_a_slice_without_limits_has_one_line() -> None:
    assert list(lines(limits(NONE))) == ["limits of each sliver of s1: none"]


def test_what_each_node_keeps_and_what_is_used_is_shown() -> None:
    told = {
        "host": "n1",
        "mem-use": "12288",
        "mem-quota": "262144",
        "disk-use": "2048",
        "disk-quota": "0",
        "cpu-use": "0.25",
        "limits-enforced": "memory=cgroup2",
    }
    found = LimitsShown(
        **{**NONE, "memory": 256 << 20, "text": "memory 256M", "hosts": [told, {"host": "n2"}]}
    )
    assert [line.rstrip() for line in lines(limits(found))] == [
        "limits of each sliver of s1: memory 256M",
        "",
        "HOST  MEMORY       DISK  CPU   ENFORCED",
        "n1    12M of 256M  2M    0.25  memory=cgroup2",
        "n2",
    ]
