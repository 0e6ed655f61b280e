"""``dsmtc dev``: the demo's little world, kept, with the shell open; it ends with the shell.

What is typed is typed for real: the world is that of ``make demo``, with a slice ready and the example
packages made. Words after ``dsmtc dev`` go to the shell.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import signal
import sys
from pathlib import Path
from typing import Final

from dsmt_core.errors import DsmtError
from dsmtc.client import Client, Credentials
from lab.choice import BROKERS, scene_of
from lab.demo.transcript import SLICE, rpmgen
from lab.home import made_anew
from lab.scene import PLACES, Scene, Scenery

_TARBALL: Final = Path("examples/pinger-1.8.tgz")
INTERRUPTED: Final = 130


def main() -> int:
    """Run until the shell ends; its exit code."""
    parser = argparse.ArgumentParser(prog="dsmtc dev", description=__doc__)
    parser.add_argument("--broker", choices=BROKERS, default="auto")
    parser.add_argument("--home", type=Path, default=Path("build/dev"), help="made anew")
    parser.add_argument("--port", type=int, default=0, help="of the planner")
    arguments, words = parser.parse_known_args()
    try:
        return asyncio.run(_dev(arguments, words))
    except DsmtError as error:
        print(
            f"dsmtc dev: {error}",
            *([f"  hint: {error.hint}"] if error.hint else []),
            sep="\n",
            file=sys.stderr,
        )
        return error.exit_code


async def _dev(arguments: argparse.Namespace, words: list[str]) -> int:
    home = made_anew(arguments.home)
    scenery = Scenery(home=home, password=secrets.token_urlsafe(12), port=arguments.port)
    scene = scene_of(arguments.broker, scenery)
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    loop.add_signal_handler(signal.SIGTERM, lambda: me and me.cancel())
    # Ctrl-C belongs to the shell, which is in the foreground together with this process.
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    print(
        f"starting {len(scenery.hosts)} nodes, a planner and a broker ({scene.broker}) …", file=sys.stderr
    )
    try:
        await scene.start()
        environment = _environment(scene, scenery)
        await _prepare(scenery, environment)
        await asyncio.to_thread(_place, scene.planner_url, scenery)
        _tell(scene, scenery, environment)
        return await _shell(words, environment)
    except asyncio.CancelledError:
        return INTERRUPTED
    finally:
        await asyncio.shield(scene.stop())


def _environment(scene: Scene, scenery: Scenery) -> dict[str, str]:
    """What makes any dsmtc speak to this world, as its first account."""
    account = scenery.home / "account"
    account.touch(mode=0o600)
    account.write_text(f"account: {scenery.admin}\npassword: {scenery.password}\nrole: admin\n")
    return {
        "DSMT_PLANNER": scene.planner_url,
        "DSMT_ACCOUNT_FILE": str(account),
        "DSMT_HOME": str(scenery.home / "dsmtc"),
    }


async def _prepare(scenery: Scenery, environment: dict[str, str]) -> None:
    """A slice, and the example's packages where rpmgen can make them."""
    await _run(["dsmtc.main", "create", "--slice", SLICE], environment)
    if shutil.which("rpmbuild") and _TARBALL.exists():
        packages = scenery.home / "packages"
        packages.mkdir()
        await _run(["depot.rpmgen.main", *rpmgen(_TARBALL), "--output", str(packages)], environment)


def _place(planner: str, scenery: Scenery) -> None:
    """Say where on earth the nodes are, for the map."""
    with Client(planner, Credentials(scenery.admin, scenery.password)) as client:
        for host, (latitude, longitude) in zip(scenery.hosts, PLACES, strict=False):
            client.label(host, {"latitude": str(latitude), "longitude": str(longitude)})


async def _run(words: list[str], environment: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *words),
        env=os.environ | environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        raise DsmtError(f"{words[0]} failed: {said.decode().strip()}")


async def _shell(words: list[str], environment: dict[str, str]) -> int:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dsmtc.main", "--cli", "--slice", SLICE, *words),
        env=os.environ | environment,
    )
    try:
        return await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise


def _tell(scene: Scene, scenery: Scenery, environment: dict[str, str]) -> None:
    lines = ["this world is yours until you leave the shell; from another terminal:"]
    lines += [f"  export {name}={value}" for name, value in environment.items()]
    lines += [
        f"  DSMTViewer is at {scene.planner_url}/view/ ({scenery.admin}, password {scenery.password})"
    ]
    lines += [f"  a monitor connects to {scene.operator_url}"] if scene.broker != "embedded" else []
    packages = sorted(Path(environment["DSMT_ACCOUNT_FILE"]).parent.glob("packages/*.rpm"))
    if packages or _TARBALL.exists():
        lines += ["try: depot put " + " ".join(os.path.relpath(path) for path in packages or [_TARBALL])]
        lines += ["     setplan --plan limit count=3", "     status --watch"]
    print(*lines, sep="\n", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
