"""The agent of the how-to is the one that is tested in real slivers (`tests/e2e/test_agents.py`)."""

from __future__ import annotations

from tests.examples import EXAMPLES


def test_the_how_to_shows_the_example() -> None:
    text = (EXAMPLES / "shell_agent" / "agent.sh").read_text()
    shown = (EXAMPLES.parent / "docs" / "how-to" / "write-an-agent.md").read_text()
    assert f"```sh\n{text}```\n" in shown
    assert len(text.splitlines()) <= 30
