"""What can be asked of the planner about roll-outs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dsmtc.client.caller import Caller
from dsmtc.client.paths import of_slice
from dsmtc.client.rolled import Foreseen, Rollout


class Rollouts(Caller):
    """New versions of applications, host by host in waves."""

    def rollouts(self, slice_: str) -> list[Rollout]:
        """The latest roll-out of each application."""
        return self.call("GET", of_slice(slice_, "rollouts"), shape=list[Rollout])

    def rollout(self, slice_: str, application: str) -> Rollout:
        """The latest roll-out of one application, with its progress."""
        return self.call("GET", of_slice(slice_, "rollouts", application), shape=Rollout)

    def rollout_history(self, slice_: str, application: str) -> list[Rollout]:
        """The roll-outs of an application that are kept, the latest first."""
        path = of_slice(slice_, "rollouts", application, "history")
        return self.call("GET", path, shape=list[Rollout])

    def start_rollout(
        self,
        slice_: str,
        application: str,
        *,
        version: str = "",
        waves: Sequence[str] = (),
        chosen: Mapping[str, object] | None = None,
    ) -> Rollout:
        """Start a roll-out.

        Args:
            slice_: of which slice.
            application: which.
            version: of its wrapper; the newest in the depot when empty.
            waves: such as ``["1", "10%", "50%", "100%"]``.
            chosen: ``min_healthy_s``, ``deadline_s``, ``errors``, ``need``, where they are not the default;
                and the ``check_index`` of what was foreseen.
        """
        body = {"version": version, "waves": list(waves), **(chosen or {})}
        return self.call("POST", of_slice(slice_, "rollouts", application), body, shape=Rollout)

    def foresee_rollout(
        self,
        slice_: str,
        application: str,
        *,
        version: str = "",
        waves: Sequence[str] = (),
        chosen: Mapping[str, object] | None = None,
    ) -> Foreseen:
        """What `start_rollout` would do, wave by wave; changes nothing."""
        body = {"version": version, "waves": list(waves), **(chosen or {}), "dry_run": True}
        return self.call("POST", of_slice(slice_, "rollouts", application), body, shape=Foreseen)

    def foresee_update(self, slice_: str, application: str, *, version: str = "") -> Foreseen:
        """Whom an update would reach, which is all at once; changes nothing."""
        body = {"version": version, "dry_run": True}
        return self.call(
            "POST", of_slice(slice_, "applications", application, "update"), body, shape=Foreseen
        )

    def turn_rollout(
        self, slice_: str, application: str, deed: str, *, all_at_once: bool = False, back: bool = False
    ) -> Rollout:
        """Pause, resume, promote (to the last wave with ``all_at_once``) or abort (and go ``back``)."""
        body = {"all": all_at_once, "back": back}
        return self.call("POST", of_slice(slice_, "rollouts", application, deed), body, shape=Rollout)
