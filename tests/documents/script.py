"""A page as one script of the shell, whose steps leave what they print in files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tests.documents.blocks import Block, Page

_HEAD: Final = (Path(__file__).parent / "head.sh").read_text()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done, and the lines that have to be among what it prints."""

    number: int
    line: int
    shell: str
    expected: tuple[str, ...] = ()


def steps_of(page: Page) -> list[Step]:
    """The steps of a page."""
    steps: list[Step] = []
    for block in page.blocks:
        if not block.executed:
            continue
        if "output" in block.marks:
            at = _last_that_stays(steps) if block.marks["output"] else len(steps) - 1
            steps[at] = replace(steps[at], expected=(*steps[at].expected, *block.text.splitlines()))
            continue
        for shell, expected in _acts(block, len(steps)):
            text = shell
            for old, new in page.here:
                text = text.replace(old, new)
            steps.append(Step(len(steps), block.line, text, expected))
    return steps


def _last_that_stays(steps: Sequence[Step]) -> int:
    return max(step.number for step in steps if step.shell.startswith("stay "))


def script_of(steps: Sequence[Step], pingers: int = 0) -> str:
    """All steps; the number of each, with the time, goes into the file ``steps`` before it is done."""
    parts = [_HEAD]
    if pingers:
        parts.append(f'dsmtc wait --state running --count {pingers} --timeout 90 >"$WORK/begin.out" 2>&1')
    for step in steps:
        parts.append(f'echo "{step.number} $EPOCHREALTIME" >>"$WORK/steps"')
        parts.append(f'{{\n{step.shell}\n}} >"$WORK/{step.number}.out" 2>&1 </dev/null')
    parts.append('echo "end $EPOCHREALTIME" >>"$WORK/steps"\nend\n')
    return "\n".join(parts)


def _acts(block: Block, number: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is done for a block, and what it has to print."""
    if "file" in block.marks:
        name = shlex.quote(block.marks["file"])
        yield (
            f'mkdir -p "$(dirname {name})"; printf %s {shlex.quote(block.text)} >{name}; chmod 755 {name}',
            (),
        )
    elif block.language == "python":
        name = f"block{block.line}.py"
        yield f"printf %s {shlex.quote(block.text)} >{name}", ()
        line = f"python {name}"
        if "inside" in block.marks:
            line = f'dsmtc exec "$(dsmtc status -o names | head -1)" -- dsmt-python -c "$(cat {name})"'
        yield (f"stay {number + 1}.stays0 {shlex.quote(line)}" if "stays" in block.marks else line), ()
    else:
        for shell, expected in typed(block.text):
            yield _ended(block, shell, number), expected
            number += 1


def _ended(block: Block, shell: str, number: int) -> str:
    if "inside" in block.marks:
        return f'dsmtc exec "$(dsmtc status -o names | head -1)" -- sh -c {shlex.quote(shell)}'
    if "stays" in block.marks:
        lines = enumerate(whole_lines(shell))
        return "\n".join(f"stay {number}.stays{count} {shlex.quote(line)}" for count, line in lines)
    if "dry" in block.marks:
        return f"dry=--dry-run\n{shell}\ndry="
    if "exits" in block.marks:
        return f"code=0; {{ {shell.strip()}\n}} || code=$?; [ $code = {int(block.marks['exits'])} ]"
    return shell


def typed(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is typed and what is printed then; of a block without ``$ `` all is typed."""
    if not re.search(r"^\$ ", text, re.MULTILINE):
        yield text, ()
        return
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        count = 1
        while lines[count - 1].endswith("\\"):
            count += 1
        printed = tuple(line for line in lines[count:] if line.strip())
        yield "\n".join(lines[:count]), printed


def whole_lines(text: str) -> list[str]:
    """Lines, those that go on put together: what begins with a blank belongs to the line before."""
    return [line for line in re.split(r"\n(?! )", text) if line.strip()]
