"""What can be asked of the planner about nodes out of service, and about disruption budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dsmtc.client.caller import Caller
from dsmtc.client.paths import of_slice, word
from dsmtc.client.stood import Budget, Stood


class Standings(Caller):
    """Nodes taken out of service and given back; how much of a slice has to stay up."""

    def standings(self) -> list[Stood]:
        """Every node of which people want something, and how far that is."""
        return self.call("GET", "/v1/standings", shape=list[Stood])

    def stand(
        self,
        verb: str,
        hosts: Sequence[str] = (),
        *,
        where: str = "",
        said: Mapping[str, object] | None = None,
        dry_run: bool = False,
    ) -> list[Stood]:
        """Take nodes out of service, or give them back: all of them, or none (admin).

        Args:
            verb: exclude, include, cordon, uncordon, drain, cancel-drain, window, cancel-windows, distrust
                or trust.
            hosts: their names; or none, and
            where: a condition that is true of them.
            said: with the verb: ``reason``; ``at_once``; ``deadline_s``, ``force``; or ``window`` with
                ``begins``, ``ends`` or ``lasts_s``, ``every_s``, ``lead_s``.
            dry_run: only tell which nodes are meant, and how they stand.
        """
        body: dict[str, object] = {"hosts": list(hosts), "where": where, "dry_run": dry_run}
        return self.call("POST", f"/v1/standings/{word(verb)}", body | dict(said or {}), shape=list[Stood])

    def budget(self, slice_: str) -> Budget:
        """The disruption budget of a slice, and what it allows now."""
        return self.call("GET", of_slice(slice_, "budget"), shape=Budget)

    def preview_budget(self, slice_: str, budget: str) -> Budget:
        """What another one would allow now; changes nothing."""
        return self.call("POST", of_slice(slice_, "budget", "preview"), {"budget": budget}, shape=Budget)

    def set_budget(self, slice_: str, budget: str) -> Budget:
        """Choose it: ``keep N``, ``keep N%``, ``max-unavailable N`` or ``N%``; empty for the default."""
        return self.call("PUT", of_slice(slice_, "budget"), {"budget": budget}, shape=Budget)
