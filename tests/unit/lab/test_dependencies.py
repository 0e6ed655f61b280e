"""What an audit of the dependencies says: that nothing is known is never taken for that all is well."""

from __future__ import annotations

from tests.dependencies import CLEAN, HOLES, UNKNOWN, found

WELL = {"name": "a", "version": "1", "vulns": []}
HOLE = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "c", "skip_reason": "Dependency not found on PyPI"}
OWN = {"name": "dsmt", "skip_reason": "it is editable"}


def test_a_hole_is_told_with_what_mends_it() -> None:
    told = found({"dependencies": [WELL, HOLE, SKIPPED, OWN]})
    assert told.code == HOLES
    assert told.lines == [
        "b 2: CVE-1, mended in 3",
        "2 packages were looked up, 1 holes are known",
        "of 1 packages the advisory service knows nothing: c",
    ]


def test_all_is_well_only_for_what_was_looked_up() -> None:
    assert found({"dependencies": [WELL]}).code == CLEAN
    nothing = found({"dependencies": [SKIPPED, OWN]})
    assert nothing.code == UNKNOWN
    assert "nothing is known" in nothing.lines[-1]
    assert found({}).code == UNKNOWN


def test_a_long_list_is_cut() -> None:
    told = found({"dependencies": [SKIPPED | {"name": f"c{number}"} for number in range(9)]})
    assert told.lines[0].endswith("c0, c1, c2, c3, c4 and 4 more")
