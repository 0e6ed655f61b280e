"""Calls: what the planner asks of a deployment agent for somebody who waits, and the one answer to each.

A call travels as an order does (the agent's command channel, exchange `dsmt_core.rights.ORDERS`, field
`CALL`), so only the planner makes one; the answer comes on the agent's status channel of the exchange
`dsmt_core.rights.CALLS`, which only the planner hears. Neither is kept, and neither changes what is wanted.
An agent answers a call once: a copy of one that it knows is dropped, so nothing is carried out twice.

    LOGS   a piece of what an application printed, from a place on; waits a while for more
    EXEC   run a command as the application, and say how it ended
    PING   answer, and nothing else; about the agent, and no application
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.events import Event, check_text, legal_text
from dsmt_core.names import Application, Host, Slice, application, host, slice_name

CALL: Final = "call"
ANSWER: Final = "answer"
TTL_S: Final = 10.0
"""Of a call: who waits has given up soon after, so it is not to be carried out much later."""
LINES_MOST: Final = 10_000
PIECE_BYTES: Final = 48 << 10
"""Of what was printed, in one answer."""
WAIT_MOST_S: Final = 20.0
EXEC_S: Final = 10.0
EXEC_MOST_S: Final = 300.0
WORDS_MOST: Final = 256
COMMAND_BYTES: Final = 16 << 10
_NONE: Final = Application("")
_ID: Final = re.compile(r"[0-9a-f]{8,64}\Z")
_PLACE: Final = re.compile(r"[0-9]{1,20}:[0-9]{1,15}\Z")


class Kind(StrEnum):
    """What a call asks for."""

    LOGS = "LOGS"
    EXEC = "EXEC"
    PING = "PING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call.

    Attributes:
        id: random; the answer repeats it.
        application: empty for PING.
        lines: for LOGS: at most so many of the last ones, to begin with; 0: all that are kept.
        since_s: for LOGS: only what was printed within so many seconds, by the node's clock; 0: any.
        after: for LOGS: the place that an answer named; what comes behind it. Empty: the beginning, as
            ``lines`` and ``since_s`` say.
        wait_s: for LOGS: how long to wait for something to be there.
        argv: for EXEC: the command, word by word.
        timeout_s: for EXEC: how long it may take.
        by: for EXEC: the account that wants it.
    """

    kind: Kind
    id: str
    host: Host
    slice: Slice
    application: Application = _NONE
    lines: int = 0
    since_s: float = 0.0
    after: str = ""
    wait_s: float = 0.0
    argv: tuple[str, ...] = ()
    timeout_s: float = EXEC_S
    by: str = ""

    @property
    def pairs(self) -> dict[str, str]:
        """As the event of the call carries it."""
        pairs = {
            "call": self.id,
            "hostname": self.host,
            "slice": self.slice,
        }
        if self.kind is Kind.PING:
            return pairs
        pairs["application"] = self.application
        if self.kind is Kind.EXEC:
            argv = json.dumps(self.argv, separators=(",", ":"))
            return pairs | {"argv": argv, "timeout": repr(self.timeout_s), "by": self.by}
        return pairs | {
            "lines": str(self.lines),
            "since": repr(self.since_s),
            "after": self.after,
            "wait": repr(self.wait_s),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a call.

    Attributes:
        id: of the call.
        text: what was printed; characters that an event may not carry are replaced.
        place: for LOGS: where it ends.
        more: for LOGS: there is more already.
        lost: for LOGS: something between the place asked for and the first line is not kept any more.
        exit: for EXEC: the exit code; minus the signal that ended it.
        timed_out: for EXEC: it took too long and was ended.
        cut: for EXEC: it printed more than is told.
        error, code, hint: why there is nothing of all this; of `dsmt_core.errors`.
    """

    id: str
    text: str = ""
    place: str = ""
    more: bool = False
    lost: bool = False
    exit: int = 0
    timed_out: bool = False
    cut: bool = False
    error: str = ""
    code: str = ""
    hint: str = ""

    @property
    def pairs(self) -> dict[str, str]:
        """As its event carries it; what is as usual is left out."""
        texts = {
            "place": self.place,
            "more": _yes(self.more),
            "lost": _yes(self.lost),
            "exit": str(self.exit) if self.exit else "",
            "timed-out": _yes(self.timed_out),
            "cut": _yes(self.cut),
            "error": legal_text(self.error),
            "code": self.code,
            "hint": legal_text(self.hint),
        }
        return {"call": self.id, "text": self.text, **{name: text for name, text in texts.items() if text}}


def call_of(event: Event) -> Call:
    """The call that an event carries.

    Raises:
        Invalid: it is none, or not a legal one.
    """
    pairs = event.pairs
    try:
        kind = Kind(event.value)
    except ValueError:
        raise Invalid(f"{event.value[:40]!r} is no call", hint=f"there is {', '.join(Kind)}") from None
    if not _ID.match(pairs.get("call", "")):
        raise Invalid("a call has no id")
    after = pairs.get("after", "")
    if after and not _PLACE.match(after):
        raise Invalid(f"{after[:40]!r} is no place in a log")
    execs = kind is Kind.EXEC
    return Call(
        kind=kind,
        id=pairs["call"],
        host=host(pairs.get("hostname", "")),
        slice=slice_name(pairs.get("slice", "")),
        application=_NONE if kind is Kind.PING else application(pairs.get("application", "")),
        lines=int(_number(pairs, "lines", LINES_MOST)),
        since_s=_number(pairs, "since", 1e10),
        after=after,
        wait_s=_number(pairs, "wait", WAIT_MOST_S),
        argv=_argv(pairs.get("argv", "")) if execs else (),
        timeout_s=_number(pairs, "timeout", EXEC_MOST_S) or EXEC_S,
        by=pairs.get("by", "")[:128],
    )


def answer_of(event: Event) -> Answer:
    """The answer that an event carries; what is wrong in it is as usual.

    Raises:
        Invalid: it names no call.
    """
    pairs = event.pairs
    if not _ID.match(pairs.get("call", "")):
        raise Invalid("an answer names no call")
    code = pairs.get("exit", "")
    return Answer(
        id=pairs["call"],
        text=pairs.get("text", ""),
        place=pairs.get("place", ""),
        more="more" in pairs,
        lost="lost" in pairs,
        exit=int(code) if re.fullmatch(r"-?[0-9]{1,5}", code) else 0,
        timed_out="timed-out" in pairs,
        cut="cut" in pairs,
        error=pairs.get("error", ""),
        code=pairs.get("code", ""),
        hint=pairs.get("hint", ""),
    )


def check_command(argv: tuple[str, ...]) -> None:
    """Check that an event can carry a command.

    Raises:
        Invalid: it has no words, too many, or illegal ones.
    """
    if not argv or not argv[0] or len(argv) > WORDS_MOST:
        raise Invalid("there is no command", hint=f"from 1 to {WORDS_MOST} words, behind --")
    for word in argv:
        check_text(word, "a word of the command")
    if (size := sum(len(word.encode()) for word in argv)) > COMMAND_BYTES:
        raise Invalid(f"a command of {size} bytes", hint=f"it has at most {COMMAND_BYTES}")


def _argv(text: str) -> tuple[str, ...]:
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        words = None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise Invalid("the command of a call is not a list of texts")
    argv = tuple(words)
    check_command(argv)
    return argv


def _number(pairs: Mapping[str, str], name: str, most: float) -> float:
    try:
        number = float(pairs.get(name) or 0)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise Invalid(f"the {name} of a call is not a number from 0 on")
    return min(number, most)


def _yes(flag: bool) -> str:  # noqa: FBT001 - it is the value
    return "yes" if flag else ""
