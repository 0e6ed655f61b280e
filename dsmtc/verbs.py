"""The verbs of ``dsmtc``: where each is, and a sentence for the overview.

They are data, so that ``--help`` loads none of them.

A module of `dsmtc.commands` has a Typer application named ``app``, with one command or, for verbs that
are made of verbs, several.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Final

from dsmtc.commandline import Misused

SECTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "Slices": {
        "create": "make a slice and manage it",
        "manage": "put an existing slice under management",
        "unmanage": "leave a slice alone; what runs goes on",
        "delete": "delete a slice and everything in it",
        "renew": "say for how long a slice is wanted from now on",
        "slices": "list the slices that you may use",
        "slice": "show, set, members, quota: what it is for, whose it is, what it may use",
        "setagent": "choose the installation agent",
        "setplan": "choose the nodes",
        "agree": "let go what the planner holds back (--dry-run)",
        "guard": "how many hosts it may ask for, and how fast that may change",
        "budget": "how much of it has to stay up",
        "limits": "how much memory, cpu, … it may use on each node",
        "status": "how the slice is, host by host (--watch)",
        "top": "the fleet as a full-screen page: live, filter, sort, a node on Enter",
        "ping": "which agents are there, in how many milliseconds, and which are not",
        "wait": "until so many instances are in a state, or a roll-out is done",
        "availability": "which share of the time what was wanted ran (--since, --by, --csv)",
    },
    "Plans and packages": {
        "plan": "set, list, show, delete, eval, explain, functions: node selections",
        "image": "add an application that is an image",
        "depot": "put, sign, list, get, remove, prune, quota: application packages",
        "publishers": "add, remove, any: whose signed packages it takes",
    },
    "Applications": {
        "start": "let an application run",
        "stop": "let it stay installed, but not run",
        "restart": "restart it where it runs",
        "update": "use a newer version from the depot, everywhere at once",
        "secret": "put, list, remove: what applications may know, and nobody else",
        "configure": "show or roll out the values with which it is started",
        "check": "show or choose how it is checked, and when it is restarted",
        "logs": "what it prints, on a node or on those of a plan (-f, --since)",
        "exec": "run a command as it, on a node or on those of a plan",
        "rollout": "the same in waves, and back by itself (start, status, promote, abort, …)",
        "uninstall": "remove it from every node",
    },
    "Nodes and events": {
        "nodes": "list, show, failed, evidence, label, cordon, drain, exclude, window, …: the machines",
        "facts": "what nodes can be chosen by, and from where it is known",
        "events": "what is said on PsEPR (--follow, --since, --snapshot)",
        "services": "who speaks there, and as it said (--check)",
        "channels": "where something is said, and what is silent",
        "publish": "say something yourself",
        "broker": "the URL with which a program of yours connects to PsEPR",
    },
    "You": {
        "login": "log in once; later commands need no password",
        "logout": "end the login of this account here",
        "doctor": "what is wrong with planner, broker, clock, TLS, disk, … and what to do",
        "whoami": "your account, role and slices",
        "plc": "create, adduser, deluser, addnode, delnode, addsite, delsite, quota, sites, people",
        "account": "add, passwd, roles, list, remove, …; keys and token: ways in without a password",
        "audit": "who did what, when, from where (verify, export, prune)",
        "ca": "show, fetch: the authority that the planner's certificate is of",
        "completion": "for bash, zsh and fish: verbs, options and names at a Tab",
        "shell": "the same commands at a prompt (also dsmtc --cli)",
        "dev": "a little world on this machine, to try things",
        "swarm": "a simulated fleet, to size an installation",
    },
}

# Verbs that share a module.
_MODULES: Final[Mapping[str, str]] = {
    "unmanage": "manage",
    "start": "applications",
    "stop": "applications",
    "restart": "applications",
    "update": "applications",
    "uninstall": "applications",
    "exec": "execute",
}

# What lists something, so that ``-o names`` tells the names alone.
LISTS: Final = (
    "slices",
    "status",
    "ping",
    "nodes list",
    "nodes failed",
    "plan list",
    "plan eval",
    "plan functions",
    "depot list",
    "secret list",
    "account list",
    "account keys list",
    "account token list",
    "plc sites",
    "plc people",
    "availability",
    "services",
    "channels",
    "facts",
)

# What cannot be rehearsed: it is about this machine, or a program of its own.
UNREHEARSED: Final = (
    "login",
    "logout",
    "shell",
    "top",
    "dev",
    "swarm",
    "completion",
    "audit export",
    "depot get",
)

_SHOWN: Final = 80
COMMON_HELP: Final = """\
Common options, before or after the verb:
  --slice NAME          the slice meant (DSMT_SLICE; else your only one)
  --user ACCOUNT        who acts (DSMT_ACCOUNT, ~/.dsmt/account)
  --password PASSWORD   (DSMT_PASSWORD; better: --password-file FILE, or the account file)
  --key FILE            log in with an ssh key, or the agent (DSMT_KEY; a program: DSMT_TOKEN)
  --role ROLE           user, pi, tech or admin (DSMT_ROLE)
  --planner URL         (DSMT_PLANNER, ~/.dsmt/planner; else http://127.0.0.1:7080)
  --authority FILE|sha256:…  whom to trust over https (DSMT_AUTHORITY, ~/.dsmt/authority.pem)
  --account-file FILE   three lines account:, password: (or key:), role: (DSMT_ACCOUNT_FILE)
  -o FORM, --json, --jsonl   wide: all columns; names: only these; json; jsonl: one record a line
  --dry-run             tell what would change, and change nothing: exit code 0, 1 or 255
  --yes                 ask nothing
  -v                    tell each request         -vv     and a trace of an error"""

_HEAD: Final = """\
Usage: dsmtc [OPTIONS] VERB [PARAMETERS]
       dsmtc --cli [--slice NAME]

Select nodes, install an application on them, watch it, and move it when things fail.
"""
_TAIL: Final = """
Help on a verb: dsmtc VERB --help. Version: dsmtc --version.

Example:
  dsmtc depot put pinger-1.8-1.noarch.rpm --slice my_slice"""


def names() -> list[str]:
    """All verbs, in the order of the overview."""
    return [name for section in SECTIONS.values() for name in section]


def module_of(verb: str) -> str:
    """The module that carries a verb out.

    Raises:
        Misused: there is no such verb; the nearest is named.
    """
    if verb not in names():
        raise unknown(verb, names(), what="verb")
    return f"dsmtc.commands.{_MODULES.get(verb, verb)}"


def unknown(word: str, known: Iterable[str], *, what: str) -> Misused:
    """The error for a word that is none of the known, with the nearest of them."""
    word = word[:_SHOWN]
    near = difflib.get_close_matches(word, list(known), n=1)
    hint = f"did you mean {near[0]}?" if near else "dsmtc --help lists them"
    return Misused(f"there is no {what} {word!r}", hint=hint)


def overview() -> str:
    """What ``dsmtc --help`` prints."""
    parts = [_HEAD]
    for title, section in SECTIONS.items():
        parts += [f"{title}:", *(f"  {name:<10} {text}" for name, text in section.items()), ""]
    return "\n".join([*parts, COMMON_HELP, _TAIL])
