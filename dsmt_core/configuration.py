"""The configuration of an application: names with values, all of them text.

It has one form only: sorted by name, so two that say the same are equal, and so are their digests. It
travels beside an order (`dsmt_core.commands`) and is bounded, since it is kept and sent for every host.
Secrets are no configuration: whoever may read what is ordered reads it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from dsmt_core.errors import Full, Invalid, NotFound
from dsmt_core.events import check_text

NAMES: Final = 64
NAME_CHARACTERS: Final = 40
BYTES: Final = 8_192
"""Of all names and values together, as UTF-8."""
DIGEST_HEX: Final = 16
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*\Z")
_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration; made by `of`, `parse` or `changed`, which check it.

    Attributes:
        pairs: name and value, sorted by name.
        digest: a short word for it: of `text`, SHA-256, hexadecimal, cut; empty when it has no values. It
            is compared for each host, so it is made once.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    digest: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(self.text.encode()).hexdigest()[:DIGEST_HEX] if self.pairs else ""
        object.__setattr__(self, "digest", digest)

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Configuration:
        """The configuration with these values.

        Raises:
            Invalid: a name or a value is not legal.
            Full: they are too many, or too long.
        """
        for name, value in values.items():
            if not _NAME.match(name) or len(name) > NAME_CHARACTERS:
                raise Invalid(
                    f"{name[:_SHOWN]!r} is not a name of a configuration",
                    hint=f"use small letters, digits and underscores, at most {NAME_CHARACTERS}",
                )
            check_text(value, f"the value of {name}")
        if len(values) > NAMES:
            raise Full(f"a configuration of {len(values)} values", hint=f"it has at most {NAMES}")
        if (size := sum(len(f"{name}{value}".encode()) for name, value in values.items())) > BYTES:
            raise Full(
                f"a configuration of {size} bytes",
                hint=f"it has at most {BYTES}, names and values together; what is longer is a package",
            )
        return cls(tuple(sorted(values.items())))

    @classmethod
    def parse(cls, text: str) -> Configuration:
        """The inverse of `text`.

        Raises:
            Invalid, Full: it is not a configuration.
        """
        try:
            values = json.loads(text) if text else {}
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise Invalid(f"{text[:_SHOWN]!r} is not a configuration", hint="a JSON object of texts")
        return cls.of(values)

    @property
    def values(self) -> dict[str, str]:
        """The values by name."""
        return dict(self.pairs)

    @property
    def text(self) -> str:
        """It as a JSON object, in one form only; empty when it has no values."""
        if not self.pairs:
            return ""
        return json.dumps(self.values, ensure_ascii=False, separators=(",", ":"))

    def changed(
        self, values: Mapping[str, str], *, unset: Collection[str] = (), whole: bool = False
    ) -> Configuration:
        """It with other values.

        Args:
            values: these are set.
            unset: these are taken away.
            whole: and nothing else is left.

        Raises:
            NotFound: what is to be taken away is not there.
            Invalid, Full: as for `of`; or a name is both set and taken away.
        """
        before = self.values
        for name in unset:
            if name in values:
                raise Invalid(f"{name[:_SHOWN]!r} is set and unset at once")
            if name not in before:
                hint = f"there are: {', '.join(before)}" if before else "nothing is"
                raise NotFound(f"{name[:_SHOWN]!r} is not set", hint=hint)
        kept = {} if whole else {name: value for name, value in before.items() if name not in unset}
        return Configuration.of({**kept, **values})


NONE: Final = Configuration()


def differences(before: Configuration, after: Configuration) -> list[str]:
    """What changes from one to the other, a name each, for people."""
    was, now = before.values, after.values
    said = []
    for name in sorted(was.keys() | now.keys()):
        if name not in was:
            said.append(f"{name} is {_shown(now[name])}")
        elif name not in now:
            said.append(f"{name} is unset (it was {_shown(was[name])})")
        elif was[name] != now[name]:
            said.append(f"{name} is {_shown(now[name])} (it was {_shown(was[name])})")
    return said


def _shown(value: str) -> str:
    """A value in one short line."""
    line = json.dumps(value, ensure_ascii=False)[1:-1]
    return f"{line[:_SHOWN]}…" if len(line) > _SHOWN else line or "empty"
