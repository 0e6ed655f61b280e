"""The overview, and that every verb has its help with an example."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from typer.main import get_command

from dsmtc.commandline import Misused
from dsmtc.dialogue import OWN, Words
from dsmtc.grammar import PATH, after
from dsmtc.verbs import module_of, names, overview
from tests.grammar import written


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


def test_the_grammar_for_completion_is_that_of_the_verbs() -> None:
    assert PATH.read_text() == written(), "python -m tests.grammar writes it anew"


def offered(line: str) -> set[str]:
    *before, begun = line.split(" ")
    return {word for word, _ in after(before, begun).words if word.startswith(begun)}


def kinds(line: str) -> tuple[str, ...]:
    *before, begun = line.split(" ")
    return after(before, begun).kinds


def test_what_may_come_next() -> None:
    assert {"manage", "status", "ping"} <= offered("")
    assert offered("stat") == {"status"}
    assert {"set", "list", "eval"} <= offered("plan ")
    assert offered("--slice my_slice plan e") == {"eval", "explain"}
    assert "--plan" in offered("setplan --")
    assert "--plan" not in offered("setplan --plan p --")
    assert {"--slice", "-o", "--json", "--dry-run"} <= offered("setplan -")
    assert offered("nodes -o ") == {"wide", "names", "json", "jsonl"}
    assert offered("wait --state r") == {"running", "requested"}
    assert offered("account keys ") == {"add", "list", "remove"}
    assert offered("help pl") == {"plan", "plc"}
    assert offered("nodes show n ") == offered("nothing ") == set()


def test_names_belong_where_the_verb_says() -> None:
    for line, expected in (
        ("", ()),
        ("setplan --plan ", ("plans", "functions")),
        ("restart ", ("applications",)),
        ("restart pinger ", ()),
        ("restart pinger --host ", ("nodes",)),
        ("--slice ", ("slices",)),
        ("depot get ", ("packages",)),
        ("depot remove a b ", ("packages",)),
        ("depot put a ", ("files",)),
        ("ping ", ("nodes", "plans")),
        ("nodes cordon a b ", ("nodes",)),
        ("exec n -- ", ("files",)),
    ):
        assert kinds(line) == expected, line
    assert after(["use"], "", own=("use",)).kinds == ("slices",)


def test_the_shell_offers_names_as_they_are_harmless() -> None:
    completer = Words(lambda kind: [f"{kind}1", "x\x1b[2J"])
    found = completer.get_completions(Document("nodes show "), CompleteEvent())
    assert [each.text for each in found] == ["nodes1", "x\\x1b[2J"]
    assert "use" in {each.text for each in completer.get_completions(Document("us"), CompleteEvent())}


@given(st.lists(st.sampled_from(["plan", "set", "--plan", "-o", "x", "nodes", "--", "-", "", "é", "keys"])))
def test_whatever_is_typed_something_may_follow(words: list[str]) -> None:
    after(words, "", own=OWN)
    after(words, "-")


def test_an_unknown_verb_is_refused_with_the_nearest() -> None:
    with pytest.raises(Misused) as caught:
        module_of("staus")
    assert caught.value.hint == "did you mean status?"
