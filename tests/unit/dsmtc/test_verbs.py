"""The overview, and that every verb has its help with an example."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from typer.main import get_command

from dsmtc.commandline import Misused
from dsmtc.dialogue import OPTIONS, SUBVERBS, Words, candidates, kind_of
from dsmtc.verbs import module_of, names, overview


def command_of(verb: str) -> Any:
    """A verb's command."""
    command: Any = get_command(importlib.import_module(module_of(verb)).app)
    return getattr(command, "commands", {}).get(verb, command)


@pytest.mark.parametrize("verb", names())
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    command = command_of(verb)
    for each in (command, *getattr(command, "commands", {}).values()):
        assert "Example: dsmtc" in each.help


@pytest.mark.parametrize("verb", names())
def test_the_overview_names_every_verb(verb: str) -> None:
    assert f"\n  {verb} " in overview()


def test_completion_knows_only_what_is_there() -> None:
    for verb, subverbs in SUBVERBS.items():
        assert set(subverbs) == set(command_of(verb).commands)
    for verb, options in OPTIONS.items():
        command = command_of(verb)
        known = {"--slice", "--user", "--json"}
        for each in (command, *getattr(command, "commands", {}).values()):
            known |= {name for parameter in each.params for name in parameter.opts}
        assert set(options) <= known, verb


def test_completion_follows_what_was_typed() -> None:
    assert "manage" in candidates([])
    assert candidates(["plan"])[:2] == ["set", "list"]
    assert candidates(["setplan"]) == ["--plan"]
    assert candidates(["setplan", "--plan"]) == []


def test_names_that_the_planner_knows_are_offered_where_they_belong() -> None:
    assert [kind_of(typed.split()) for typed in ("", "plan", "restart pinger")] == ["", "", ""]
    assert kind_of(["setplan", "--plan"]) == "plans"
    assert kind_of(["restart"]) == "applications"
    assert kind_of(["restart", "pinger", "--host"]) == "nodes"
    assert kind_of(["depot", "get"]) == "packages"
    assert kind_of(["use"]) == "slices"
    completer = Words(lambda kind: [f"{kind}1", "x\x1b[2J"])
    found = completer.get_completions(Document("nodes show "), CompleteEvent())
    assert [each.text for each in found] == ["nodes1", "x\\x1b[2J"]


def test_an_unknown_verb_is_refused_with_the_nearest() -> None:
    with pytest.raises(Misused) as caught:
        module_of("staus")
    assert caught.value.hint == "did you mean status?"
