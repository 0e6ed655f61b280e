"""From a line to its verb: load the verb's module, let Typer read the rest, name its complaints plainly."""

from __future__ import annotations

import importlib
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Final

import typer
from typer.main import get_command

from dsmt_core.errors import NotFound
from dsmtc.client.rehearsal import Rehearsal
from dsmtc.commandline import FLAGS, VALUES, Misused
from dsmtc.failures import DRY_RUN
from dsmtc.interrupted import goes_on
from dsmtc.output import say
from dsmtc.session import Session
from dsmtc.verbs import COMMON_HELP, LISTS, UNREHEARSED, module_of, unknown

__all__ = ["carry_out", "session_of"]
COMMON_OPTIONS: Final = tuple(f"--{name}" for name in (*VALUES, *FLAGS, "json", "jsonl", "dry-run"))


def carry_out(session: Session) -> int:
    """Carry out a session's ``verb word …``; return the exit code.

    Raises:
        DsmtError: it failed; `Misused` when the words cannot be understood.
    """
    verb, *rest = session.words
    command = _command(verb, rest)
    _check_form(session.common.form, verb, rest)
    _check_words(verb, rest)
    rest = _rehearsed(session, command, verb, rest)
    for each in (command, *getattr(command, "commands", {}).values()):
        each.epilog = f"\b\n{COMMON_HELP}"
    try:
        return _played(session, command, verb, rest)
    except NotFound as error:
        if "did you mean" in error.hint:
            raise
        from dsmtc.meant import with_what_is_meant  # noqa: PLC0415 - only for an error

        raise with_what_is_meant(session, error) from None
    except KeyboardInterrupt:
        changing = any(client.transport.changing for client in session.clients.values())
        if said := goes_on(session.words, changing=changing):
            say(said)
        raise


def _played(session: Session, command: Any, verb: str, rest: list[str]) -> int:
    """Carry it out, or rehearse it: then what would be sent is told."""
    code, whole = 0, True
    try:
        code = _carried_out(session, command, verb, rest)
    except (NotFound, LookupError, TypeError, ValueError):
        # An imagined answer holds no more than its form, and what it is about is not there yet.
        if not session.imagines:
            raise
        whole = False
    if not session.imagines:
        return code
    from dsmtc.rehearsed import rehearsed  # noqa: PLC0415 - only who rehearses pays for it

    return rehearsed(session, whole=whole)


def _command(verb: str, rest: list[str]) -> Any:
    module = importlib.import_module(module_of(verb))
    command: Any = get_command(module.app)
    if len(module.app.registered_commands) > 1 and verb in getattr(command, "commands", {}):
        return command.commands[verb]
    if rest:
        _check_subverb(command, verb, rest[0])
    return command


def _carried_out(session: Session, command: Any, verb: str, rest: list[str]) -> int:
    try:
        # Not `command.main`: that one takes a closed pipe and Ctrl-C for its own.
        with command.make_context(f"dsmtc {verb}", rest, obj=session) as context:
            command.invoke(context)
    except typer.Exit as ended:
        return ended.exit_code
    except typer.TyperException as error:
        raise _misused(error, verb) from error
    return 0


def _misused(error: typer.TyperException, verb: str) -> Misused:
    """What Typer complains about, in our words; an option that was mistyped with the one that is meant."""
    hint = f"{_place(error, verb)} --help"
    name, possible = getattr(error, "option_name", ""), getattr(error, "possibilities", None)
    if not name:
        return Misused(_sentence(error.format_message()), hint=hint)
    meant = [one for one in possible or () if one != "--help"]
    known = [one for one in meant or COMMON_OPTIONS if one in get_close_matches(name, [one])]
    return Misused(
        f"{hint.removesuffix(' --help')} has no option {name}",
        hint=f"did you mean {known[0]}? Else: {hint}" if known else hint,
    )


def _rehearsed(session: Session, command: Any, verb: str, rest: list[str]) -> list[str]:
    """``rest`` without ``--dry-run``, which the session keeps then, unless the verb has one of its own."""
    own = rest[: rest.index("--")] if "--" in rest else rest
    if DRY_RUN not in own:
        return rest
    named = " ".join([verb, *rest[:1]])
    if verb in UNREHEARSED or named in UNREHEARSED:
        raise Misused(f"{named if named in UNREHEARSED else verb} cannot be tried by --dry-run")
    for word in own:
        command = getattr(command, "commands", {}).get(word, command)
    if any(DRY_RUN in parameter.opts for parameter in command.params):
        return rest
    session.rehearsal, session.common = Rehearsal(), replace(session.common, yes=True)
    at = own.index(DRY_RUN)
    return [*rest[:at], *rest[at + 1 :]]


def session_of(context: typer.Context) -> Session:
    """The session that a verb's context carries."""
    session: Session = context.find_root().obj
    return session


def _check_words(verb: str, rest: list[str]) -> None:
    """An empty word is no name that was left out: a variable that is not set must not mean all there is."""
    own = rest[: rest.index("--")] if "--" in rest else rest
    for before, word in zip(["", *own], own, strict=False):
        if not word and not before.startswith("-"):
            raise Misused(f"a word of {verb} is empty", hint="a variable that is not set?")


def _check_subverb(command: Any, verb: str, word: str) -> None:
    known = getattr(command, "commands", None)
    if known and not word.startswith("-") and word not in known:
        raise unknown(word, known, what=f"verb of {verb}")


def _check_form(form: str, verb: str, rest: list[str]) -> None:
    """Before anything is done: only what is a list has names."""
    if form != "names":
        return
    from dsmtc.grammar import verb_of  # noqa: PLC0415 - only who wants names asks

    named = verb_of([verb, *rest])
    if named not in LISTS and f"{named} list" not in LISTS:
        alike = [name for name in LISTS if name.split()[0] == verb]
        hint = f"such as dsmtc {alike[0]} -o names" if alike else "such as dsmtc nodes -o names"
        raise Misused(f"{named} lists nothing, so it has no names", hint=hint)


def _place(error: typer.TyperException, verb: str) -> str:
    """The command that the complaint is about, such as ``dsmtc depot put``."""
    # Usage errors carry a context; Typer does not name their class in its interface.
    return str(getattr(getattr(error, "ctx", None), "command_path", f"dsmtc {verb}"))


def _sentence(text: str) -> str:
    """Typer's complaint in one line, without its capital and full stop."""
    line = " ".join(text.split()).rstrip(".")
    return f"{line[:1].lower()}{line[1:]}"
