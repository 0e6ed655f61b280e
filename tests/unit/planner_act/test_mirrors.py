"""Which mirror of the depot a node is told."""

from __future__ import annotations

import pytest

from dsmt_core.errors import Invalid
from dsmt_core.names import Host
from planner.fleet import Fleet
from planner.service.mirrors import Mirrors

HOST = Host("n1.tokyo.example")


def test_the_site_is_a_label_or_else_the_domain() -> None:
    fleet = Fleet()
    mirrors = Mirrors(["tokyo.example=http://a:1/", "osaka=https://b"], fleet)
    assert mirrors.of(HOST) == "http://a:1"
    fleet.join(HOST, now=0.0, period=5.0)
    assert mirrors.of(HOST) == "http://a:1"
    fleet.label(HOST, {"site": "osaka"})
    assert mirrors.of(HOST) == "https://b"
    fleet.label(HOST, {"site": "kyoto"})
    assert mirrors.of(HOST) == ""


def test_one_may_be_for_all_others() -> None:
    mirrors = Mirrors(["osaka=http://b", "*=http://all"], Fleet())
    assert mirrors.of(HOST) == "http://all"


@pytest.mark.parametrize("text", ["", "http://a", "=http://a", "osaka=", "osaka=ftp://b"])
def test_what_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(Invalid, match="SITE=URL"):
        Mirrors([text], Fleet())
