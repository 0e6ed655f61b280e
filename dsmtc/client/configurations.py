"""What can be asked of the planner about the configuration of applications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from dsmtc.client.caller import Caller
from dsmtc.client.paths import of_slice
from dsmtc.client.rolled import Foreseen, Rollout


class Configured(TypedDict):
    """The configuration of an application.

    Attributes:
        configuration: what the slice has; while a roll-out is on, the one before it.
        digest: a short word for it, as status and roll-outs tell it; empty when there is none.
        rollout: the roll-out that is on, if any.
        coming: the configuration that it brings.
    """

    application: str
    version: str
    configuration: dict[str, str]
    digest: str
    rollout: Rollout | None
    coming: dict[str, str] | None


class Configurations(Caller):
    """Names and values with which applications are started."""

    def configuration(self, slice_: str, application: str) -> Configured:
        """The configuration of an application."""
        return self.call("GET", _path(slice_, application), shape=Configured)

    def configure(self, slice_: str, application: str, wish: Mapping[str, object]) -> Configured:
        """Roll another configuration out; what is so already is no change and no error.

        Args:
            slice_: of which slice.
            application: which.
            wish: ``values`` to set, names to ``unset``, ``whole`` (nothing else is left), ``check_index``;
                and how to roll it out, as `start_rollout` takes it.
        """
        return self.call("POST", _path(slice_, application), dict(wish), shape=Configured)

    def foresee_configuration(self, slice_: str, application: str, wish: Mapping[str, object]) -> Foreseen:
        """What `configure` would do, wave by wave; changes nothing."""
        return self.call("POST", _path(slice_, application), {**wish, "dry_run": True}, shape=Foreseen)


def _path(slice_: str, application: str) -> str:
    return of_slice(slice_, "applications", application, "configuration")
