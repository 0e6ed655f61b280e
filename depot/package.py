"""A package as the depot knows it: what its content says, in the form of the protocol. Values only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dsmt_core.errors import Invalid
from dsmt_core.packages import KINDS, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a package says about itself.

    Attributes:
        version: ``[epoch:]version[-release]``.
        requires: each ``name`` or ``name RELATION version``, with RELATION one of < <= = >= >.
        provides: the same.
        application: whose start, stop and status scripts it carries; empty for none.
        scripts: which of these it has, and those that run when it is installed or removed.
    """

    kind: Kind
    name: str
    version: str
    arch: str
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    application: str = ""
    scripts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """A package in the depot: the SHA-256 of its bytes (hex), their number, and what they say."""

    digest: str
    size: int
    said: Said

    def record(self) -> dict[str, Any]:
        """As JSON has it, in the protocol and on disk."""
        return {"digest": self.digest, "size": self.size, **asdict(self.said)}

    @classmethod
    def read(cls, text: str) -> Package:
        """The inverse of `record`, from its JSON text.

        Raises:
            Invalid: it is not one.
        """
        try:
            record = json.loads(text)
            said = _said(record)
            return cls(str(record["digest"]), int(record["size"]), said)
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            raise Invalid("it is not the description of a package") from error


def _said(record: Mapping[str, Any]) -> Said:
    return Said(
        kind=next(kind for kind in KINDS if kind == record["kind"]),
        name=str(record["name"]),
        version=str(record["version"]),
        arch=str(record["arch"]),
        requires=tuple(map(str, record["requires"])),
        provides=tuple(map(str, record["provides"])),
        application=str(record["application"]),
        # A depot of before did not write them.
        scripts=tuple(map(str, record.get("scripts", ()))),
    )
