"""A ``dsmtc`` that is loaded once: each line of the documents is a fork of it, with files of its own.

``serve`` loads it; as a program (``python -S warm.py SOCKET WORD…``) this file is the client, which costs a
tenth of a whole ``dsmtc``. What a line means is decided by `dsmtc.main.run` in either case.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable

_LONGEST = 1 << 20


def ask(path: str, words: list[str]) -> int:
    """Have a line carried out; its exit code."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        said = json.dumps([words, dict(os.environ), os.getcwd()]).encode()  # noqa: PTH109 - pathlib costs time
        socket.send_fds(line, [len(said).to_bytes(4, "big")], [0, 1, 2])
        line.sendall(said)
        return int(line.recv(8) or b"1")


def serve(path: str) -> None:
    """Load all verbs, and fork for each line; until it is killed."""
    import importlib

    from dsmtc import main, verbs

    for section in verbs.SECTIONS.values():
        for verb in section:
            importlib.import_module(verbs.module_of(verb))
    # Who is forked ends by itself; nobody asks for it.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen(16)
        while True:
            line, _ = door.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                door.close()
                _carry_out(line, main.run)
            line.close()


def _carry_out(line: socket.socket, run: Callable[[], int]) -> None:
    head, files, _, _ = socket.recv_fds(line, 4, 3)
    left = int.from_bytes(head, "big")
    said = b""
    while len(said) < min(left, _LONGEST):
        said += line.recv(left - len(said))
    words, environment, directory = json.loads(said)
    for number, file in enumerate(files):
        os.dup2(file, number)
    # Those of before remember of what kind their files were.
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, "w" if n else "r", closefd=False) for n in range(3))
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["dsmtc", *words]
    code = 1
    try:
        code = run()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        line.sendall(str(code).encode())
        os._exit(0)


if __name__ == "__main__":
    sys.exit(ask(sys.argv[1], sys.argv[2:]))
