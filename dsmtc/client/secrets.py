"""What can be asked of the planner about the secrets of a slice; values go there and never come back."""

from __future__ import annotations

import base64
from typing import TypedDict

from dsmtc.client import answers
from dsmtc.client.caller import Caller
from dsmtc.client.paths import of_slice


class SecretShown(TypedDict):
    """A secret without its value.

    Attributes:
        used_by: applications that are configured with it.
        outdated_in: those of them that have an older content.
    """

    name: str
    put_at: float
    put_by: str
    used_by: list[str]
    outdated_in: list[str]


class Secrets(Caller):
    """Secrets of slices."""

    def put_secret(self, slice_: str, name: str, content: bytes) -> SecretShown:
        """Keep a content (at most 64 KiB); what uses the name goes on with the one that it has."""
        body = {"value": base64.b64encode(content).decode()}
        return self.call("PUT", of_slice(slice_, "secrets", name), body, shape=SecretShown)

    def secrets(self, slice_: str) -> list[SecretShown]:
        """The names of a slice's secrets."""
        return self.call("GET", of_slice(slice_, "secrets"), shape=list[SecretShown])

    def remove_secret(self, slice_: str, name: str) -> None:
        """Forget one that no application is configured with."""
        self.call("DELETE", of_slice(slice_, "secrets", name), shape=answers.Done)
