"""What a status script prints: one line for people, or a JSON object with a text and metrics.

    {"text": "3 clients", "metrics": {"clients": 3, "lag_s": 0.25}}

The exit code alone says how the application is. Whatever is printed is bounded: at most `METRICS` metrics
with short names and plain, finite numbers; what is not so is left out, and the first of it is said.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

METRICS: Final = 64
NAME_CHARACTERS: Final = 64
# The shortest text of a double has at most 24 characters.
NUMBER_CHARACTERS: Final = 24
JSON_BYTES: Final = 32 << 10
_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_.\-]*\Z")


@dataclass(frozen=True, slots=True)
class Said:
    """What was said.

    Attributes:
        text: one line; may be long and hold anything.
        metrics: name and number as text.
    """

    text: str
    metrics: Mapping[str, str] = field(default_factory=dict)


def said(output: str) -> Said:
    """What the output of a status script says."""
    if not output.lstrip().startswith("{"):
        return Said(output.split("\n", 1)[0])
    value, flaw = _object(output)
    if value is None:
        return Said(f"its status is not what it should be: {flaw}")
    text = value.get("text", "")
    metrics, left_out = _metrics(value.get("metrics", {}))
    line = text.split("\n", 1)[0] if isinstance(text, str) else ""
    return Said(" ".join(filter(None, (line, left_out and f"({left_out})"))), metrics)


def _object(output: str) -> tuple[dict[str, Any] | None, str]:
    if len(output) > JSON_BYTES:
        return None, f"JSON of more than {JSON_BYTES} characters"
    try:
        value = json.loads(output)
    except (ValueError, RecursionError):
        return None, "it begins as JSON and is none"
    return (value, "") if isinstance(value, dict) else (None, "JSON that is no object")


def _metrics(values: Any) -> tuple[dict[str, str], str]:
    """The metrics that can be told, and the first thing that is wrong with the others."""
    if not isinstance(values, dict):
        return {}, "its metrics are no object"
    metrics: dict[str, str] = {}
    flaw = ""
    for name, value in values.items():
        number = _number(value)
        if len(name) > NAME_CHARACTERS or not _NAME.match(name):
            flaw = flaw or f"{name[:20]!r} is no name of a metric"
        elif not number:
            flaw = flaw or f"the metric {name} is no number"
        elif len(metrics) >= METRICS:
            flaw = flaw or f"more than {METRICS} metrics"
            break
        else:
            metrics[name] = number
    return metrics, flaw


def _number(value: Any) -> str:
    """A finite number as text; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if isinstance(value, int):
        return str(value) if abs(value) < 1 << 64 else ""
    return repr(value) if math.isfinite(value) else ""
