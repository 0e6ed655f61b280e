"""What mkdocs is handed beside the files of ``docs/``: the README as home, and pages made from the code.

A hook of mkdocs (``mkdocs.yml``); it is not imported by anything else.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from lab.reference import api, commands, events, functions, sdk

# What a browser fetches by itself; a link is followed by people.
_LOADED: Final = re.compile(
    r"""<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)=["']?((?:https?:)?//[^"'\s>]+)"""
)
_ROOT: Final = Path(__file__).parents[2]
_PAGES: Final = {
    "reference/verbs.md": commands.verbs,
    "reference/programs.md": commands.programs,
    "reference/channels.md": events.channels,
    "reference/functions.md": functions.functions,
    "reference/api.md": api.api,
    "reference/sdk.md": sdk.sdk,
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Put the pages in that no file holds."""
    for place, page in _PAGES.items():
        files.append(File.generated(config, place, content=page()))
    readme = (_ROOT / "README.md").read_text()
    # What the README calls docs/… lies beside its page here.
    home = readme.replace("](docs/adr/)", "](adr/index.md)").replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=home))
    files.append(File.generated(config, "adr/index.md", content=_decisions()))
    return files


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001 - as mkdocs calls it
    """Nothing that a page loads lies elsewhere: it can be read without a network."""
    elsewhere = _LOADED.findall(output)
    if elsewhere:
        raise PluginError(f"{page.file.src_uri} loads {', '.join(elsewhere)}")
    return output


def _decisions() -> str:
    lines = ["# Decisions\n", "Each says what it is about, what was decided, and what follows.\n"]
    for path in sorted((_ROOT / "docs/adr").glob("[0-9]*.md")):
        title = re.sub(r"^# *", "", path.read_text().splitlines()[0])
        lines.append(f"* [{title}]({path.name})")
    return "\n".join(lines) + "\n"
