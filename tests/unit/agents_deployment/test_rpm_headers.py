"""What rpm says of packages, and whether an order brings what its wrapper requires."""

from __future__ import annotations

import pytest

from agents.deployment_agent.installers.rpm import Capability, Header, check_requires, read_headers
from dsmt_core.errors import Invalid

OUTPUT = (
    "N\tpinger\t1.8-1\nR\trpmlib(CompressedFileNames)\t <= \t3.0.4-1\nP\tpinger\t = \t1.8-1\n"
    "N\tdsmtw_pinger\t1.8-1\nR\tpinger\t = \t1.8-1\nR\t/bin/sh\t\t\nP\tdsmtw_pinger\t = \t1.8-1\n"
)


def test_headers_are_read_in_the_order_of_the_packages() -> None:
    headers = read_headers(OUTPUT)
    assert [header.name for header in headers] == ["pinger", "dsmtw_pinger"]
    assert headers[1].requires[0] == Capability("pinger", "=", "1.8-1")
    check_requires(headers)


def test_a_name_that_is_an_option_is_refused() -> None:
    with pytest.raises(Invalid, match="is not a name for a package"):
        read_headers("N\t--root=/\t1-1\n")


@pytest.mark.parametrize(
    ("relation", "version", "meets"),
    [
        ("=", "1.8-1", True),
        ("=", "1.8", True),
        ("=", "1.9-1", False),
        (">=", "1.0", True),
        (">", "1.8-1", False),
        ("<=", "1.8-1", True),
        ("<", "1.10", True),
        ("", "", True),
    ],
)
def test_a_requirement_is_met_as_rpm_would(relation: str, version: str, meets: bool) -> None:  # noqa: FBT001
    wrapper = Header("dsmtw_a", "1-1", requires=[Capability("a", relation, version)])
    if meets:
        check_requires([Header("a", "1.8-1"), wrapper])
    else:
        with pytest.raises(Invalid, match="dsmtw_a requires a"):
            check_requires([Header("a", "1.8-1"), wrapper])


def test_a_provided_name_counts_and_a_missing_one_is_named() -> None:
    provider = Header("b", "1-1", provides=[Capability("virtual", "=", "2.0")])
    check_requires([provider, Header("w", "1-1", requires=[Capability("virtual", ">=", "1.5")])])
    unversioned = Header("b", "1-1", provides=[Capability("virtual", "", "")])
    with pytest.raises(Invalid, match=r"w requires virtual >= 1\.5, which no package"):
        check_requires([unversioned, Header("w", "1-1", requires=[Capability("virtual", ">=", "1.5")])])


def test_an_order_without_packages_is_refused() -> None:
    with pytest.raises(Invalid, match="names no packages"):
        check_requires([])
