"""The functions that plans are made of."""

from __future__ import annotations

import math

from lab.reference.tables import code, plain, table
from planner.plans import FUNCTIONS
from planner.plans.function import Parameter


def functions() -> str:
    """Every plan function with its parameters."""
    parts = [
        "# Plan functions\n",
        "Made from the code; `dsmtc plan functions` tells the same.\n",
        "How plans are put together: [plans](plans.md).\n",
    ]
    for name in sorted(FUNCTIONS):
        function = FUNCTIONS[name]
        parts += [f"## {plain(name)}\n", f"{plain(function.text)}\n"]
        if function.parameters:
            head = ("parameter", "takes", "when it is left out")
            parts.append(table(head, [_row(one) for one in function.parameters]))
        if function.one_of:
            parts.append(f"One of these has to be given: {', '.join(map(code, function.one_of))}.\n")
    return "\n".join(parts)


def _row(parameter: Parameter) -> tuple[str, str, str]:
    names = " or ".join(code(one) for one in (parameter.name, parameter.other_name) if one)
    default = parameter.default
    without = "it has to be given" if default is None else code(default) or "nothing"
    return names, plain(parameter.takes) + _bounds(parameter), without


def _bounds(parameter: Parameter) -> str:
    ends = []
    if math.isfinite(parameter.least):
        ends.append(f"at least {parameter.least:g}")
    if math.isfinite(parameter.most):
        ends.append(f"at most {parameter.most:g}")
    return f", {', '.join(ends)}" if ends else ""
