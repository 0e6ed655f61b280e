"""The systemd unit of `dsmt-node`, as text: an upgrade or a crash of the manager touches no sliver.

`KillMode=process` leaves the slivers when the manager ends, `Delegate=yes` leaves it the cgroups below its
own. What hardens it here needs no mount name space: slivers of before an upgrade would otherwise live in
another one than those made after it, and be hidden from the next manager.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsmt_core.errors import Denied, Invalid

MARK: Final = "# Written by `dsmt-node install`; what differs is not overwritten without --force."
# Mounts and name spaces, users for slivers, their files and processes, limits, a network of their own.
CAPABILITIES: Final = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_ADMIN",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_ADMIN",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_RESOURCE",
)
_NEEDS_ROOT: Final = (
    f"CapabilityBoundingSet={' '.join(CAPABILITIES)}",
    "NoNewPrivileges=yes",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is written.

    Attributes:
        host: the node's name, for people.
        command: program and arguments of the manager; no secret, everybody may read the file.
        environment: a file with `DSMT_NODE_TOKEN=…`, which may be missing.
        root: it is one of the system's; otherwise of a user's.
    """

    host: str
    command: Sequence[str]
    environment: Path
    root: bool

    @property
    def text(self) -> str:
        """The file.

        Raises:
            Invalid: an argument cannot stand in it.
        """
        lines = [
            MARK,
            "[Unit]",
            f"Description=DSMT container manager of {_plain(self.host)}",
            "Wants=network-online.target",
            "After=network-online.target",
            "StartLimitIntervalSec=0",
            "",
            "[Service]",
            "Type=exec",
            f"ExecStart={' '.join(map(quoted, self.command))}",
            f"EnvironmentFile=-{_path(self.environment)}",
            "# The slivers, and what runs in them, outlive the manager.",
            "KillMode=process",
            "Delegate=yes",
            "OOMPolicy=continue",
            "Restart=always",
            "RestartSec=2",
            "# What only people can mend: an illegal option, a token that is not valid.",
            f"RestartPreventExitStatus=2 {Invalid.exit_code} {Denied.exit_code}",
            "# Of all slivers together.",
            "TasksMax=infinity",
            "LimitNOFILE=65536",
            *(_NEEDS_ROOT if self.root else ()),
            "RestrictRealtime=yes",
            "KeyringMode=private",
            "",
            "[Install]",
            f"WantedBy={'multi-user' if self.root else 'default'}.target",
        ]
        return "\n".join(lines) + "\n"


def quoted(word: str) -> str:
    """A word as `ExecStart` takes it for itself, whatever is in it.

    Raises:
        Invalid: there is a control character in it.
    """
    escaped = _plain(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$").replace("%", "%%")
    return escaped if escaped and all(_is_bare(char) for char in escaped) else f'"{escaped}"'


def _is_bare(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char in "/._-:=,@+%$")


def _path(path: Path) -> str:
    # Not a command line: only % has a meaning, and there is nothing to quote with.
    return _plain(str(path)).replace("%", "%%")


def _plain(text: str) -> str:
    if not text.isprintable():
        raise Invalid(f"{text!r} cannot stand in a unit", hint="use printable characters")
    return text
