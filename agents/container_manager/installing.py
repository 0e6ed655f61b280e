"""``dsmt-node install`` and ``uninstall``: the unit is written, checked where systemd is, and taken away.

Nothing is started, stopped or joined: what comes next is said, for people to do.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agents.container_manager import options as node_options
from agents.container_manager.unit import MARK, Unit
from dsmt_core.errors import Conflict, Invalid, NotFound
from dsmt_core.names import host

VERBS: Final = ("install", "uninstall")
NAME: Final = "dsmt-node"
_SYSTEM: Final = Path("/etc/systemd/system")
_VERIFY_S: Final = 20.0


def run(argv: Sequence[str]) -> None:
    """Do what the command says, and say what comes next.

    Raises:
        Conflict: another file is there, or the one to take away is not ours.
        Invalid: a name or an argument cannot be used.
        NotFound: there is nothing to take away.
    """
    options = _parser().parse_args(argv)
    path = _directory(options) / f"{_unit_name(options.unit)}.service"
    if options.verb == "uninstall":
        _uninstall(path, options)
        return
    text = _unit(options).text
    if options.dry_run:
        sys.stdout.write(text)
        return
    _write(path, text, force=options.force)
    for complaint in complaints(text, path.name):
        sys.stderr.write(f"dsmt-node: systemd-analyze: {complaint}\n")
    _say(_next(options, path))


def complaints(text: str, name: str) -> list[str]:
    """What systemd finds wrong with a unit; nothing where it cannot be asked."""
    if shutil.which("systemd-analyze") is None:
        return []
    with tempfile.TemporaryDirectory(prefix="dsmt-unit-") as folder:
        path = Path(folder, name)
        path.write_text(text)
        command = ["systemd-analyze", "verify", "--man=no", str(path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_VERIFY_S, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return []
    # It tells of other units of the machine, too.
    return [line for line in done.stderr.splitlines() if name in line]


def _unit(options: argparse.Namespace) -> Unit:
    command = [*_program(), *node_options.arguments(options)]
    return Unit(
        host=host(options.host),
        command=command,
        environment=_environment(options),
        root=not options.user,
    )


def _program() -> list[str]:
    """How this very `dsmt-node` is started, whatever the PATH of systemd."""
    script = Path(sys.executable).with_name("dsmt-node")
    if script.is_file() and os.access(script, os.X_OK):
        return [str(script)]
    return [sys.executable, "-m", "agents.container_manager.main"]


def _write(path: Path, text: str, *, force: bool) -> None:
    try:
        before = path.read_text()
    except FileNotFoundError:
        before = text
    if before != text and not force:
        raise Conflict(f"{path} is there, and differs", hint="look at it; --force overwrites it")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text)
    temporary.chmod(0o644)
    temporary.replace(path)


def _uninstall(path: Path, options: argparse.Namespace) -> None:
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise NotFound(f"there is no {path}", hint="--unit names another one") from None
    if not text.startswith(MARK) and not options.force:
        raise Conflict(
            f"{path} was not written by dsmt-node install", hint="--force removes it all the same"
        )
    if options.dry_run:
        _say([f"would remove {path}"])
        return
    path.unlink()
    systemctl = _systemctl(options)
    _say(
        [
            f"removed {path}; the manager, if it runs, and all slivers live on.",
            f"  {systemctl} disable --now {path.stem}; {systemctl} daemon-reload",
            "To end the slivers: start dsmt-node once with --end-slivers, and end it.",
        ]
    )


def _next(options: argparse.Namespace, path: Path) -> list[str]:
    environment, systemctl = _environment(options), _systemctl(options)
    lines = [f"wrote {path}. Next:"]
    if options.token_file is None:
        lines += [
            "  dsmtc nodes invite                # where you administrate: a token, needed once",
            f"  install -D -m 600 /dev/null {environment}",
            f"  echo DSMT_NODE_TOKEN=… > {environment}",
        ]
    lines += [f"  {systemctl} daemon-reload", f"  {systemctl} enable --now {path.stem}"]
    if options.user:
        lines.append("  loginctl enable-linger            # so that it runs without a login")
    return [*lines, f"After an upgrade: {systemctl} restart {path.stem}; the applications go on."]


def _directory(options: argparse.Namespace) -> Path:
    if options.directory is not None:
        return Path(options.directory)
    if options.user:
        home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
        return Path(home).expanduser() / "systemd" / "user"
    return _SYSTEM


def _environment(options: argparse.Namespace) -> Path:
    home = Path("~/.config/dsmt").expanduser() if options.user else Path("/etc/dsmt")
    return home / f"{options.unit}.env"


def _systemctl(options: argparse.Namespace) -> str:
    return "systemctl --user" if options.user else "systemctl"


def _unit_name(text: str) -> str:
    if not text or not all(char.isascii() and (char.isalnum() or char in "-_.") for char in text):
        raise Invalid(f"{text!r} is not a name of a unit", hint="letters, digits, '-', '_' and '.'")
    return text


def _say(lines: Sequence[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dsmt-node", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    install = verbs.add_parser("install", help="write a systemd unit for this node", allow_abbrev=False)
    node_options.add(install, secret=False)
    uninstall = verbs.add_parser("uninstall", help="take it away again")
    for each in (install, uninstall):
        add = each.add_argument
        add("--unit", default=NAME, metavar="NAME", help="of the unit (default %(default)s)")
        add("--directory", type=Path, metavar="DIR", help="where units are; else systemd's own")
        add("--user", action="store_true", default=os.geteuid() != 0, help="a unit of this user's")
        add("--dry-run", action="store_true", help="show it, and change nothing")
        add("--force", action="store_true", help="overwrite, or remove, a file that differs")
    return parser
