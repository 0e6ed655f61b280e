"""What can be asked of the planner about nodes."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from dsmtc.client import answers
from dsmtc.client.caller import Caller
from dsmtc.client.machines import Named, Node
from dsmtc.client.paths import word


class Nodes(Caller):
    """The machines."""

    def nodes(self, where: str = "") -> list[Node]:
        """All nodes, or those of which a condition on their facts and labels is true."""
        path = f"/v1/nodes?{urlencode({'where': where})}" if where else "/v1/nodes"
        return self.call("GET", path, shape=list[Node])

    def node_names(self) -> list[str]:
        """The names of all nodes: of ten thousand a tenth of what `nodes` takes."""
        return [one["host"] for one in self.call("GET", "/v1/nodes?names=1", shape=list[Named])]

    def failed_nodes(self) -> list[Node]:
        """The nodes that are not alive, and those that some slice leaves alone."""
        return self.call("GET", "/v1/nodes?failed=1", shape=list[Node])

    def node(self, host: str) -> Node:
        """One node."""
        return self.call("GET", f"/v1/nodes/{word(host)}", shape=Node)

    def invite(
        self,
        *,
        expires_in_s: float | None = None,
        site: str = "",
        uses: int | None = None,
        hosts: str = "",
        replaces: str = "",
    ) -> answers.Invitation:
        """A token for ``dsmt-node`` (admin, or admin or tech of the site; by default the home site).

        Args:
            expires_in_s: how long it holds; None: the planner's default.
            site: to which the nodes belong.
            uses: how many nodes it lets in; None: any number.
            hosts: only of names like this; empty: of all.
            replaces: the host whose name one machine takes over, even while its holder lives.
        """
        asked = {"expires_in_s": expires_in_s, "site": site, "uses": uses, "hosts": hosts}
        asked["replaces"] = replaces
        body = {name: value for name, value in asked.items() if value not in (None, "")}
        return self.call("POST", "/v1/nodes/invite", body, shape=answers.Invitation)

    def label(self, host: str, labels: Mapping[str, str]) -> answers.Labels:
        """Label a node; an empty value takes a label away (admin)."""
        path = f"/v1/nodes/{word(host)}/labels"
        return self.call("PATCH", path, {"labels": dict(labels)}, shape=answers.Labels)

    def forget(self, host: str) -> None:
        """Forget a node (admin)."""
        self.call("DELETE", f"/v1/nodes/{word(host)}", shape=answers.Done)
