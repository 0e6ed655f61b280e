"""What can be asked of the planner about the limits of a slice's slivers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from dsmtc.client.caller import Caller
from dsmtc.client.paths import of_slice


class LimitsShown(TypedDict):
    """The limits of each sliver of a slice; 0 limits nothing.

    Attributes:
        memory, disk: bytes.
        cpu: in cores.
        processes, files: how many.
        network: host, none or own.
        root: the root file system of each; empty for the node's own, not there with an older planner.
        text: all of it in words.
        hosts: what each node says of it, by the names of the container's events.
    """

    slice: str
    memory: int
    cpu: float
    processes: int
    disk: int
    files: int
    network: str
    root: NotRequired[str]
    text: str
    hosts: list[dict[str, str]]


class Limits(Caller):
    """What the applications of a sliver may use."""

    def limits(self, slice_: str) -> LimitsShown:
        """The limits of a slice, and what its nodes say of them."""
        return self.call("GET", of_slice(slice_, "limits"), shape=LimitsShown)

    def set_limits(self, slice_: str, texts: Mapping[str, str]) -> LimitsShown:
        """Set those that are named (pi, admin), as people write them; 0 takes one away."""
        return self.call("PUT", of_slice(slice_, "limits"), dict(texts), shape=LimitsShown)
