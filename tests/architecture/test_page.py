"""The scripts of the planner's page, read without running them.

What they import is there, and what would make markup or code of a text is not.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "planner" / "viewer" / "page"
SCRIPTS = sorted(PAGE.rglob("*.js"))
LINES, LONGEST = 340, 200
# Each makes code or markup of a text, reaches beyond the planner, or needs a weaker policy.
FORBIDDEN = (
    r"\binnerHTML\b|\bouterHTML\b|insertAdjacentHTML|document\.write|unsafeHTML|unsafe-html",
    r"\beval\(|new Function\(|setTimeout\(\s*[\"'`]|javascript:",
    r"https?://(?!www\.w3\.org/)",
    r"\sstyle=|\son[a-z]+=",
    r"\bdebugger\b|\bconsole\.log\b|\bvar\s|[^=!]==[^=]|!=[^=]",
)
_IMPORT = re.compile(
    r"""import\s+(?:\{([^}]*)\}\s+from\s+)?["'](\.[^"']+)["']|import\(["'](\.[^"']+)["']\)"""
)
_EXPORT = re.compile(
    r"^export (?:async )?(?:function\*?|class|const|let) (\w+)|^export \{([^}]*)\}", re.MULTILINE
)


def text(path: Path) -> str:
    return path.read_text()


def exported(path: Path) -> set[str]:
    found = _EXPORT.findall(text(path))
    return {name.strip() for one, many in found for name in (one, *many.split(",")) if name.strip()}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_what_is_there(path: Path) -> None:
    for names, static, dynamic in _IMPORT.findall(text(path)):
        target = (path.parent / (static or dynamic)).resolve()
        if "fetched" in target.parts:
            continue
        assert target.is_file(), f"{path.name} imports {target.name}"
        wanted = {name.split(" as ")[0].strip() for name in names.split(",") if name.strip()}
        assert wanted <= exported(target), f"{path.name} imports from {target.name} what is not there"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_uses_what_it_imports(path: Path) -> None:
    for names, _, _ in _IMPORT.findall(text(path)):
        for name in (one.split(" as ")[-1].strip() for one in names.split(",") if one.strip()):
            assert len(re.findall(rf"\b{name}\b", text(path))) > 1, f"{path.name}: {name} is not used"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_short_says_what_it_is_and_does_nothing_dangerous(path: Path) -> None:
    lines = text(path).splitlines()
    assert lines[0].startswith("// "), path.name
    assert len(lines) <= LINES, path.name
    assert max(map(len, lines)) <= LONGEST, path.name
    code = [line for line in lines if not line.lstrip().startswith(("//", "*", "/*"))]
    for pattern in FORBIDDEN:
        assert not [line for line in code if re.search(pattern, line)], f"{path.name}: {pattern}"


def test_the_page_itself_holds_no_script_and_no_style() -> None:
    page = text(PAGE / "index.html")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page)
    assert not re.search(r"https?://", page)
    for sheet in PAGE.rglob("*.css"):
        assert not re.search(r"url\(|@import|https?://", text(sheet))
