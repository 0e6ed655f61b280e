"""How hosts suit a slice, as `planner.failed_nodes.Misfits` judges them; seen, like all of the fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from dsmt_core.names import Application, Host


@dataclass(frozen=True, slots=True)
class Fits:
    """What counts against hosts for one slice.

    Attributes:
        out: hosts that are as good as failed for the slice, and why: a plain sentence.
        doubts: applications that fail wherever they are, so that no host is to blame, and why.
    """

    out: Mapping[Host, str] = field(default_factory=dict)
    doubts: Mapping[Application, str] = field(default_factory=dict)


ALL_FIT: Final = Fits(MappingProxyType({}), MappingProxyType({}))
