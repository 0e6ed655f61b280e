"""What a container needs so that DSMT's init can give programs another network than the node's.

The init does inside what it does in every sliver (`agents.sliver_init.network`): podman's own networks
would cut off the agent, too. Podman's filter of system calls forbids name spaces to who has no rights. For
such a sliver the two calls that the init needs are allowed, and all else stays as podman has it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from agents.container_manager.slivers import directories, etc, outward
from agents.container_manager.slivers.place import Place
from dsmt_core.errors import Unavailable
from dsmt_core.limits import Network

# Where podman looks for it (containers.conf(5)), the machine's own first.
PROFILES: Final = (Path("/etc/containers/seccomp.json"), Path("/usr/share/containers/seccomp.json"))
_NEEDED: Final = frozenset({"unshare", "setns"})


def lacking(network: Network, profiles: Sequence[Path] = PROFILES) -> str:
    """Why containers cannot have this network here; empty when nothing is seen that is missing."""
    if network is Network.HOST:
        return ""
    if not any(path.exists() for path in profiles):
        return f"{profiles[-1]} is missing (apt-get install golang-github-containers-common)"
    return outward.lacking() if network is Network.OWN else ""


def settings(
    network: Network, place: Place, owner: tuple[int, int] | None, profiles: Sequence[Path] = PROFILES
) -> dict[str, Any]:
    """Of the Docker API's ``HostConfig``: lists, to be added to what is there.

    Raises:
        Unavailable: podman's filter cannot be read.
        OSError: something cannot be written.
    """
    if network is Network.HOST:
        return {}
    filter_ = place.directory / "seccomp.json"
    directories.put(filter_, json.dumps(_allowed(_profile(profiles))))
    found: dict[str, Any] = {"SecurityOpt": [f"seccomp={filter_}"]}
    if network is Network.OWN:
        directories.put(place.resolvers, outward.resolvers(etc.host_resolvers()))
        device = outward.device(place, owner)
        found["Binds"] = [f"{place.resolvers}:{etc.RESOLVERS}:ro", f"{device}:{outward.TUN}:rw,dev"]
        found["DeviceCgroupRules"] = ["c 10:200 rwm"]
    return found


def _profile(profiles: Sequence[Path]) -> dict[str, Any]:
    path = next((path for path in profiles if path.exists()), profiles[-1])
    try:
        profile = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Unavailable(f"podman's filter of system calls cannot be read: {path}: {error}") from error
    if not isinstance(profile, dict) or not isinstance(profile.get("syscalls"), list):
        raise Unavailable(f"{path} is no filter of system calls")
    return profile


def _allowed(profile: dict[str, Any]) -> dict[str, Any]:
    """``profile`` with the calls that are needed; whatever it said of them before is left out."""
    rules = []
    for rule in profile["syscalls"]:
        names = [name for name in rule.get("names", ()) if name not in _NEEDED]
        rules += [{**rule, "names": names}] if names else []
    return {**profile, "syscalls": [*rules, {"names": sorted(_NEEDED), "action": "SCMP_ACT_ALLOW"}]}
