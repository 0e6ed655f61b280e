"""What of the documents is executed, and how their pages are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents.blocks import Block, Page, page_of
from tests.documents.pages import PLAYED
from tests.documents.printed import lacking
from tests.documents.script import script_of, steps_of

FENCE = "```"


def page(tmp_path: Path, text: str) -> Page:
    path = tmp_path / "page.md"
    path.write_text(text)
    return page_of(path)


@pytest.mark.parametrize("path", PLAYED, ids=lambda path: path.stem)
def test_what_is_not_executed_says_why(path: Path) -> None:
    found = page_of(path)
    reasons = [block.marks["not run"] for block in found.blocks if not block.executed]
    assert all(len(reason.split()) >= 2 for reason in reasons), reasons


@pytest.mark.parametrize("path", PLAYED, ids=lambda path: path.stem)
def test_each_other_block_is_a_step_or_what_one_prints(path: Path) -> None:
    """A step knows its block by the line; outputs belong to the step before them."""
    found = page_of(path)
    lines = {step.line for step in steps_of(found)}
    for block in found.blocks:
        assert block.line in lines or not block.executed or "output" in block.marks


def test_blocks_have_the_marks_above_them(tmp_path: Path) -> None:
    found = page(
        tmp_path,
        f"""# A page

<!-- here: /etc/dsmt = $WORK/etc -->
<!-- world: pinger 2 -->

    true one

<!-- not run: there is no such machine -->

    ssh elsewhere

A point of a list is none:

* one

    which goes on

{FENCE}python
print(1)
{FENCE}

<!-- file: a/b.sh -->

{FENCE}sh
echo /etc/dsmt
{FENCE}

<!-- prepare:
two
lines
-->
""",
    )
    assert (found.pingers, found.here) == (2, (("/etc/dsmt", "$WORK/etc"),))
    assert found.blocks == (
        Block(6, "", "true one\n", {}),
        Block(10, "", "ssh elsewhere\n", {"not run": "there is no such machine"}),
        Block(18, "python", "print(1)\n", {}),
        Block(24, "sh", "echo /etc/dsmt\n", {"file": "a/b.sh"}),
        Block(28, "", "two\nlines", {"prepare": ""}),
    )
    assert [step.line for step in steps_of(found)] == [6, 18, 18, 24, 28]
    assert "echo $WORK/etc" in script_of(steps_of(found), found.pingers)


def test_a_comment_that_nobody_understands_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is none of"):
        page(tmp_path, "<!-- not rum: why -->\n\n    true\n")
    with pytest.raises(ValueError, match="above no block"):
        page(tmp_path, "<!-- exits: 3 -->\n")


def test_what_is_typed_and_what_is_printed(tmp_path: Path) -> None:
    (first, second) = steps_of(page(tmp_path, "    $ one \\\n      more\n    printed\n    $ two\n"))
    assert (first.shell, first.expected) == ("one \\\n  more", ("printed",))
    assert (second.shell, second.expected) == ("two", ())


def test_words_count_and_numbers_do_not() -> None:
    printed = "12.5 ms  node3.lima.example  alive\n3 of 4 answered: 1 to 2 ms\n"
    assert lacking(["0.1 ms  node1.tokyo.example  alive", "2 of 2 answered: …"], printed) == []
    assert lacking(["0.1 ms  node1.tokyo.example  failed"], printed) == [
        "0.1 ms  node1.tokyo.example  failed"
    ]
