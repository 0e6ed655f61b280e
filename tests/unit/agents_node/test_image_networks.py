"""What a container is made with so that its programs can have another network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.container_manager.images import networks
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import Unavailable
from dsmt_core.limits import Network
from dsmt_core.names import Host, Slice

PROFILE = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "syscalls": [
        {"names": ["read", "setns"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["unshare"], "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
    ],
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(Slice("s"), Host("h"), tmp_path)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "podman.json"
    path.write_text(json.dumps(PROFILE))
    return path


def test_two_calls_are_allowed_and_everything_else_stays(place: Place, profile: Path) -> None:
    found = networks.settings(Network.NONE, place, None, [profile])
    written = place.directory / "seccomp.json"
    assert found == {"SecurityOpt": [f"seccomp={written}"]}
    assert json.loads(written.read_text()) == {
        "defaultAction": "SCMP_ACT_ERRNO",
        "syscalls": [
            {"names": ["read"], "action": "SCMP_ACT_ALLOW"},
            {"names": ["setns", "unshare"], "action": "SCMP_ACT_ALLOW"},
        ],
    }


def test_with_the_nodes_network_nothing_is_asked_for(place: Place) -> None:
    assert networks.settings(Network.HOST, place, None, []) == {}
    assert networks.lacking(Network.HOST, []) == ""
    assert not list(place.directory.iterdir())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"syscalls": 3}'])
def test_a_filter_that_cannot_be_read_lets_nothing_run(place: Place, profile: Path, text: str) -> None:
    profile.write_text(text)
    with pytest.raises(Unavailable):
        networks.settings(Network.NONE, place, None, [profile])


def test_what_is_missing_is_told(tmp_path: Path, profile: Path) -> None:
    nowhere = tmp_path / "nowhere.json"
    assert f"{nowhere} is missing (apt-get install" in networks.lacking(Network.NONE, [nowhere])
    assert networks.lacking(Network.NONE, [nowhere, profile]) == ""
