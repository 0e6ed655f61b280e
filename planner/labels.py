"""Labels: what people say of a node. Pure: what is legal, and what a change makes of what there was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from dsmt_core.errors import Full, Invalid
from dsmt_core.events import check_text

NUMBER: Final = 64
VALUE: Final = 256
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]{0,63}\Z")


def labelled(before: Mapping[str, str], change: Mapping[str, str]) -> dict[str, str]:
    """The labels of a node after a change: an empty value takes a label away.

    Raises:
        Invalid: a name or a value is not legal.
        Full: there are more than `NUMBER`.
    """
    for name, value in change.items():
        if not _NAME.match(name):
            raise Invalid(
                f"{name[:80]!r} is no name of a label",
                hint="a letter first, then letters, digits and . _ / -; at most 64",
            )
        if len(value) > VALUE:
            raise Invalid(f"the label {name} has {len(value)} characters", hint=f"at most {VALUE}")
        check_text(value, f"the label {name}")
    after = {name: value for name, value in {**before, **change}.items() if value}
    if len(after) > NUMBER:
        raise Full(f"a node has at most {NUMBER} labels", hint="take one away: NAME=")
    return after
