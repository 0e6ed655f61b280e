"""What a command line says, taken apart before any verb is loaded. Pure.

The common options (``--slice``, ``--user``, …) may stand anywhere on the line, before or after the
verb, so they are lifted out first; the rest belongs to the verb. The guide writes ``-slice`` as well as
``--slice``: one dash is accepted for every long common option. Nothing is lifted after ``--``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from dsmt_core.errors import DsmtError, Invalid


class Misused(DsmtError):
    """The command line cannot be understood."""

    exit_code: ClassVar[int] = 2
    http_status: ClassVar[int] = 400
    code: ClassVar[str] = "misused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The options that every verb takes.

    Attributes:
        users: every ``--user``, in order; only ``create`` takes two (who acts, the slice's user).
        form: how to answer: empty, ``json``, ``jsonl``, ``wide`` or ``names``.
        verbose: how many ``-v``: 1 tells each request, 2 shows a trace of an error.
        shell: ``--cli``.
    """

    slice: str = ""
    users: tuple[str, ...] = ()
    password: str = ""
    password_file: str = ""
    key: str = ""
    role: str = ""
    planner: str = ""
    authority: str = ""
    account_file: str = ""
    form: str = ""
    yes: bool = False
    shell: bool = False
    verbose: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A command line: the common options, and what is left (the verb first)."""

    common: Common
    rest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parties:
    """Who acts, and for whom the slice is made; either may be empty."""

    actor: str
    member: str


# option -> field of Common
VALUES: Final[Mapping[str, str]] = {
    "slice": "slice",
    "user": "users",
    "password": "password",
    "password-file": "password_file",
    "key": "key",
    "role": "role",
    "planner": "planner",
    "authority": "authority",
    "account-file": "account_file",
    "o": "form",
}
FLAGS: Final[Mapping[str, str]] = {"yes": "yes", "cli": "shell"}
_SUCH: Final = {"o": "wide"}
FORMS: Final = ("json", "jsonl", "wide", "names")
# These have an option of their own name as well.
_SHORT: Final = frozenset({"json", "jsonl"})


def lift(arguments: Sequence[str]) -> Line:
    """Take the common options out of a command line; the order of the rest is kept.

    Raises:
        Misused: an option has no value, or a flag has one.
    """
    common, rest = Common(), []
    words = list(arguments)
    at = 0
    while at < len(words):
        if words[at] == "--":
            rest += words[at:]
            break
        lifted, used = _one(common, words, at)
        if not used:
            rest.append(words[at])
        common, at = lifted, at + max(used, 1)
    return Line(common, tuple(rest))


def over(outer: Common, inner: Common, *, verb: str) -> Common:
    """The options of a line typed in the shell, with the shell's own where the line names none."""
    # A password and a role belong to the account beside them.
    whole = inner.users or inner.password or inner.password_file or inner.key
    who = inner if whole else outer
    users = who.users or outer.users
    if verb == "create" and len(inner.users) == 1 and not (inner.password or inner.password_file):
        who, users = outer, (*outer.users[:1], *inner.users)
    return Common(
        slice=inner.slice or outer.slice,
        users=users,
        password=who.password,
        password_file=who.password_file,
        key=who.key,
        role=inner.role or who.role,
        planner=inner.planner or outer.planner,
        authority=inner.authority or outer.authority,
        account_file=inner.account_file or outer.account_file,
        form=inner.form or outer.form,
        yes=inner.yes or outer.yes,
        shell=inner.shell,
        verbose=max(inner.verbose, outer.verbose),
    )


def parties(common: Common, *, verb: str, known: bool) -> Parties:
    """Tell apart who acts and the slice's user, as the guide's ``create`` needs it.

    Args:
        common: of the line.
        verb: only ``create`` has a slice's user.
        known: an account is known without ``--user``: a file, the environment, a login.

    Raises:
        Misused: ``--user`` is there more often than the verb allows.
    """
    limit = 2 if verb == "create" else 1
    if len(common.users) > limit:
        raise Misused(
            f"{verb} takes --user {'twice' if limit == 2 else 'once'}",
            hint="create takes it twice: first the account that acts, then the slice's user",
        )
    first, second = (*common.users, "", "")[:2]
    alone = verb == "create" and first and not second
    if alone and known and not (common.password or common.password_file):
        return Parties("", first)
    return Parties(first, second)


def parameters(words: Sequence[str]) -> dict[str, str]:
    """Read ``name=value …``.

    Raises:
        Invalid: a word has no equals sign or no name, or a name is there twice.
    """
    read: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals):
            raise Invalid(f"{word!r} is not name=value", hint="such as count=10 or left=all_nodes")
        if name in read:
            raise Invalid(f"the parameter {name!r} is given twice")
        read[name] = value
    return read


def belonging(words: Sequence[str], owner: str) -> tuple[str, ...]:
    """The ``name=value`` words right after ``--owner X``, before the next option.

    ``create`` takes parameters of the agent and of the plan on one line, told apart by their place.
    """
    found: list[str] = []
    inside, skip = False, False
    for word in words:
        if word.startswith("-"):
            inside = word.partition("=")[0] == f"--{owner}"
            skip = inside and "=" not in word
        elif inside and skip:
            skip = False
        elif inside:
            found.append(word)
    return tuple(found)


def _one(common: Common, words: list[str], at: int) -> tuple[Common, int]:
    """``common`` with the option at ``at``, and how many words it took (0: it is none of ours)."""
    word = words[at]
    if word.strip("v") == "-" and len(word) > 1:
        return replace(common, verbose=common.verbose + len(word) - 1), 1
    if word in {"-y", "--verbose"}:
        changed = replace(common, yes=True) if word == "-y" else replace(common, verbose=common.verbose + 1)
        return changed, 1
    name, equals, value = _named(word)
    if name in FLAGS or name in _SHORT:
        if equals:
            raise Misused(f"--{name} takes no value")
        return (_with(common, "o", name) if name in _SHORT else _set(common, FLAGS[name], value=True)), 1
    if name not in VALUES:
        return common, 0
    if equals:
        return _with(common, name, value), 1
    if at + 1 == len(words) or is_common(words[at + 1]):
        raise Misused(f"{word} needs a value", hint=f"such as {word} {_SUCH.get(name, name.upper())}")
    return _with(common, name, words[at + 1]), 2


def is_common(word: str) -> bool:
    """Whether a word is one of the common options."""
    name = _named(word)[0]
    return name in VALUES or name in FLAGS or name in _SHORT


def _named(word: str) -> tuple[str, str, str]:
    if not word.startswith("-"):
        return "", "", ""
    return word.removeprefix("-").removeprefix("-").partition("=")


def _with(common: Common, name: str, value: str) -> Common:
    if not value:
        raise Misused(f"--{name} is empty")
    if name == "user":
        return replace(common, users=(*common.users, value))
    if name == "o" and value not in FORMS:
        raise Misused(f"there is no form {value[:40]!r} of an answer", hint=f"-o {'|'.join(FORMS)}")
    if name == "o" and common.form not in {"", value}:
        raise Misused(f"-o {common.form} and {value} are two forms of one answer")
    # The guide writes --role PI.
    return _set(common, VALUES[name], value=value.lower() if name == "role" else value)


def _set(common: Common, field: str, *, value: str | bool) -> Common:
    changes: dict[str, Any] = {field: value}
    return replace(common, **changes)
