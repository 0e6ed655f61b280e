"""The deployment agent as a fork of this process that runs no new program.

What runs a new program can be looked into by any process of the same user from its first instruction on,
before it could forbid that. A fork inherits that this process must not be looked into (`hide`), so the
agent's credentials, which it gets in memory, are at no moment within the reach of an application.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn

NAME = "dsmt-agent"
_PR_SET_DUMPABLE = 4
_PR_SET_NAME = 15
_DESCRIPTORS = 1 << 16
_FAILED = 1


def hide() -> None:
    """Have the kernel keep this process's memory, descriptors and environment from others of its user."""
    import ctypes  # noqa: PLC0415 - only where a sliver has walls is there anything to hide behind

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _call_oneself(name: str) -> None:
    """As ``ps`` shows it: the arguments are still the init's."""
    import ctypes  # noqa: PLC0415

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def start(inside: Mapping[str, Any], config: dict[str, Any], env: Mapping[str, str], output: int) -> int:
    """Fork the agent; its pid.

    Args:
        inside: ``module`` with a function ``run``; ``sites`` and ``path``: where it and what it needs are
            imported from; ``executable``: the Python that runs programs of DSMT.
        config: what ``run`` is given.
        env: its whole environment.
        output: takes what it prints; the caller closes its own copy.

    Raises:
        OSError: no process is free.
    """
    pid = os.fork()
    if pid == 0:
        _become(inside, config, env, output)
    return pid


def _become(
    inside: Mapping[str, Any], config: dict[str, Any], env: Mapping[str, str], output: int
) -> NoReturn:
    """In the child. Nothing may come back from here."""
    code = _FAILED
    try:
        # What the init has left to clear away must not close descriptors of the agent later.
        gc.collect()
        _leave(output)
        _call_oneself(NAME)
        os.environ.clear()
        os.environ.update(env)
        _imports(inside["sites"], inside["path"])
        sys.executable, sys.argv = str(inside["executable"]), ["dsmt-agent"]
        importlib.import_module(str(inside["module"])).run(config)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else _FAILED
    except BaseException:  # noqa: BLE001 - whatever it is, it is told in the agent's log
        import traceback  # noqa: PLC0415

        traceback.print_exc()
    finally:
        # The init's own clean-up is not the agent's.
        os._exit(code)


def _leave(output: int) -> None:
    """Nothing of the init's is left: neither its signals nor its descriptors."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.umask(0o022)
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, _DESCRIPTORS)


def _imports(sites: Sequence[str], path: Sequence[str]) -> None:
    import site  # noqa: PLC0415 - the init itself does without

    for directory in sites:
        site.addsitedir(directory)
    sys.path += [one for one in path if one not in sys.path]
