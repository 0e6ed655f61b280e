"""What the demo tells while it runs: one line a change, with the seconds since the beginning."""

from __future__ import annotations

import sys
import time
from typing import Final

from rich.console import Console
from rich.markup import escape

from dsmt_core import names
from dsmt_core.events import Event

_LAYERS: Final = {
    names.SLIVER_MGR: "container",
    names.SLIVER_BOOTSTRAP: "deployment agent",
    names.DEPLOYMENT_AGENT: "application",
}
_COLOURS: Final = {"running": "green", "failed": "red", "terminated": "yellow"}


class Story:
    """Prints to the terminal, or plain lines where there is none."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._began = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the story began."""
        return time.monotonic() - self._began

    def chapter(self, title: str) -> None:
        """A new part begins."""
        self._console.print(f"\n[bold]{title}[/bold]")

    def typed(self, prompt: str, command: str) -> None:
        """A command, as a person would have typed it."""
        self._console.print(f"[dim]{escape(prompt)}[/dim] {escape(command)}")

    def said(self, text: str) -> None:
        """What a program answered, indented."""
        for line in text.rstrip().splitlines():
            self._console.print(f"    {line}", markup=False)

    def note(self, text: str) -> None:
        """A sentence of the story itself."""
        self._console.print(f"[dim]{self.elapsed_s:6.1f} s[/dim]  {text}")

    def event(self, event: Event) -> None:
        """A change of a layer, or an order."""
        state = event.state
        if state:
            layer = _LAYERS.get(event.pairs.get("component", ""), event.pairs.get("component", ""))
            colour = _COLOURS.get(state, "default")
            reason = f" ({escape(event.pairs['reason'])})" if event.pairs.get("reason") else ""
            host = event.pairs.get("hostname", "")
            self.note(f"{host:22} {layer:17} [{colour}]{state}[/{colour}]{reason}")
