"""What a round has to look at, as narrow as it is known: hosts of a slice, nodes, plans, or everything."""

from __future__ import annotations

from dataclasses import dataclass, field

from dsmt_core.names import Host, Slice


@dataclass(slots=True)
class Dirty:
    """What has changed since somebody looked.

    Attributes:
        slices: to be looked at whole.
        hosts: where something of a slice was heard.
        nodes: of which something was heard that is about all their slices.
        plans: a node came, went or was judged anew, or told other facts: any plan may select other hosts.
        clear: it is known again what a node holds. Slices that follow another one stayed there because it
            may have been there, too, and may have to leave.
        everything: nothing narrower is known, as at the start.
    """

    slices: set[Slice] = field(default_factory=set)
    hosts: dict[Slice, set[Host]] = field(default_factory=dict)
    nodes: set[Host] = field(default_factory=set)
    plans: bool = False
    clear: bool = False
    everything: bool = False

    def __bool__(self) -> bool:
        return self.everything or self.plans or self.clear or bool(self.slices or self.hosts or self.nodes)

    def host(self, slice_: Slice, host: Host) -> None:
        """Something of a slice was heard on a host."""
        self.hosts.setdefault(slice_, set()).add(host)

    def node(self, host: Host) -> None:
        """A node was judged anew, or came or went: what it needs has changed, and who is selected."""
        self.nodes.add(host)
        self.plans = True
