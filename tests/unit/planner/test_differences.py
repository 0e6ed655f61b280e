"""What the audit log tells of a change of a slice."""

from __future__ import annotations

from dataclasses import replace

from dsmt_core.names import Slice
from planner.audit.differences import differences
from planner.quota import Quota
from planner.wanted import WantedSlice

WEB = WantedSlice(name=Slice("web"), managed=True, generation=1)


def test_of_a_value_of_several_parts_those_are_told_that_are_not_as_usual() -> None:
    after = replace(WEB, quota=Quota(nodes=2))
    assert differences(WEB, after) == {"was": {"quota": {}}, "is": {"quota": {"nodes": 2}}}
    assert differences(after, replace(after, managed=False)) == {
        "was": {"managed": True},
        "is": {"managed": False},
    }


def test_what_was_made_or_deleted_differs_in_nothing() -> None:
    assert differences(None, WEB) == differences(WEB, None) == differences(WEB, WEB) == {}
