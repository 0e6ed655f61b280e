"""``dsmtc completion``: what makes a shell complete ``dsmtc``'s words."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.commandline import Misused
from dsmtc.completion_scripts import SCRIPTS
from dsmtc.dispatch import session_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def completion(
    context: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="which shell it is for")],
) -> None:
    """Print what a shell needs to complete verbs, options and names (slices, plans, nodes, packages, …).

    In ~/.bashrc: eval "$(dsmtc completion bash)"; in ~/.zshrc after compinit: eval "$(dsmtc completion
    zsh)"; for fish: dsmtc completion fish > ~/.config/fish/completions/dsmtc.fish.

    Example: dsmtc completion bash
    """
    if shell not in SCRIPTS:
        raise Misused(f"there is no completion for {shell[:40]!r}", hint=f"one of {', '.join(SCRIPTS)}")
    out = session_of(context).out
    if out.json:
        out.answer({"shell": shell, "script": SCRIPTS[shell]}, list)
        return
    # Not as an answer: it is a program, whose line breaks count.
    for line in SCRIPTS[shell].splitlines():
        out.text(line)
