"""What a change would set in motion, as people read it: counts first, then who is touched first. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dsmt_core.several import several
from dsmtc.client.previewed import Motion, Preview, ToAgree, Touched
from dsmtc.rendering.table import Table, View
from dsmtc.rendering.views import SHOWN, decider

WAITS: Final = 10
NAMED: Final = 5


def preview(found: Preview) -> View:
    """The whole preview; ``--json`` tells every host."""
    yield f"{motion(found) or 'nothing to do'}; {found['stay']} stay as they are"
    touched = found["touched"]
    if touched:
        yield ""
        rows = [(str(at), *_row(one)) for at, one in enumerate(touched[:SHOWN], 1)]
        yield Table(("ORDER", "HOST", "WHAT", "WHEN", "BECAUSE", "DECIDED BY"), rows)
        if len(touched) > SHOWN:
            yield f"… and {len(touched) - SHOWN} more; --json tells all"
    yield from _waiting(found)
    yield f"index {found['index']}"


def motion(of: Motion) -> str:
    """``2 start, 1 stop, 3 move``; empty when nothing does."""
    return ", ".join(f"{of[name]} {name}" for name in ("start", "stop", "move") if of[name])


def motion_lines(of: Motion | None) -> list[str]:
    """What a change has set in motion, after it was made."""
    return [] if of is None else [f"sets in motion: {motion(of) or 'nothing'}"]


def to_agree(found: ToAgree) -> View:
    """What goes when people agree."""
    hosts = found["hosts"]
    if not hosts:
        yield f"nothing in {found['slice']} waits for people to agree"
        return
    yield f"{len(hosts)} of {found['slice']} stop when people agree"
    yield ""
    rows = [(one["host"], one["reason"], decider({**one})) for one in hosts[:SHOWN]]
    yield Table(("HOST", "BECAUSE", "DECIDED BY"), rows)
    if len(hosts) > SHOWN:
        yield f"… and {len(hosts) - SHOWN} more; --json tells all"
    yield f"index {found['index']}"


def held_line(found: ToAgree) -> str:
    """The same in one line, with the command that agrees."""
    hosts = several([one["host"] for one in found["hosts"]], NAMED)
    command = f"dsmtc agree --slice {found['slice']} --check-index {found['index']}"
    return f"held back until people agree: {hosts}; {command}"


def _row(one: Touched) -> tuple[str, ...]:
    what = f"start for {one['replaces']}" if one["replaces"] else one["does"]
    when = "at once" if one["step"] == 1 else f"step {one['step']}: when the step before has ended"
    return one["host"], what, one["waits"] or when, one["reason"], _decided(one)


def _decided(one: Touched) -> str:
    return decider(
        {"host": one["host"], "reason": one["reason"], "plan": one["plan"], "function": one["function"]}
    )


def _waiting(found: Preview) -> Iterator[str]:
    waiting = found["waiting"]
    for one in waiting[:WAITS]:
        of = " ".join(filter(None, (one["host"], one["application"])))
        yield f"would wait: {of}: {one['reason']}" if of else f"would wait: {one['reason']}"
    if len(waiting) > WAITS:
        yield f"would wait: and {len(waiting) - WAITS} more; --json tells all"
