"""What may be typed after ``dsmtc``, read from the verbs: ``python -m tests.grammar`` writes it.

Completion has to be quick, so it reads a file instead of loading the verbs. A test says when that is old.
"""

from __future__ import annotations

import importlib
import json
from typing import Any

from typer.main import get_command

from dsmtc.grammar import PATH
from dsmtc.verbs import module_of, names


def written() -> str:
    """The grammar as the file has it."""
    grammar: dict[str, Any] = {}
    for verb in names():
        command: Any = get_command(importlib.import_module(module_of(verb)).app)
        _add(grammar, verb, getattr(command, "commands", {}).get(verb, command))
    lines = [f"{json.dumps(name)}: {json.dumps(rule)}" for name, rule in grammar.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _add(grammar: dict[str, Any], name: str, command: Any) -> None:
    rule: dict[str, Any] = {"help": command.get_short_help_str(70).rstrip(".")}
    options = {
        opt: "" if getattr(one, "is_flag", False) else one.metavar or one.name
        for one in command.params
        if one.param_type_name == "option"
        for opt in one.opts
    }
    places = [
        [one.name, "many" if one.nargs == -1 else "one"]
        for one in command.params
        if one.param_type_name == "argument"
    ]
    subverbs = list(getattr(command, "commands", {}))
    grammar[name] = rule | {
        key: found
        for key, found in (("options", options), ("places", places), ("verbs", subverbs))
        if found
    }
    for subverb in subverbs:
        _add(grammar, f"{name} {subverb}", command.commands[subverb])


if __name__ == "__main__":
    PATH.write_text(written())
