"""The options of `dsmt-node`, read by itself and handed on to the unit that `dsmt-node install` writes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agents.container_manager.capacity import capacity_of
from agents.container_manager.config import CACHE_BYTES, NodeConfig
from agents.container_manager.images.having import AUTO as PODMAN
from agents.container_manager.slivers.choosing import AUTO, DRIVERS
from dsmt_core.authorities import fingerprint_of, is_fingerprint
from dsmt_core.errors import Invalid
from dsmt_core.limits import Limits
from dsmt_core.names import host

_VALUES: Final = {
    "capacity": "",
    "sliver_driver": AUTO,
    "status_period": None,
    "cache_bytes": CACHE_BYTES,
    "depot_mirror": "",
    "podman": PODMAN,
}
TOKEN: Final = "DSMT_NODE_TOKEN"  # noqa: S105 - a name


def add(parser: argparse.ArgumentParser, *, secret: bool = True) -> None:
    """Add them.

    Args:
        parser: takes them.
        secret: also the token itself; whoever writes arguments into a file must not take it.
    """
    more = parser.add_argument
    more("--planner", required=True, metavar="URL", help="the planner's API, such as http://127.0.0.1:7080")
    more("--host", required=True, metavar="NAME", help="the name of this node")
    more("--data", required=True, type=Path, metavar="DIR", help="where everything is kept")
    more("--authority", default="", metavar="FILE|sha256:…", help="whom to trust; else the invitation's")
    if secret:
        more("--token", default="", help=f"of `dsmtc nodes invite`; better {TOKEN} or --token-file")
    more("--token-file", type=Path, metavar="FILE", help="holds the token")
    _of_slivers(more)
    more("--facts-dir", type=Path, metavar="DIR", help="programs that tell facts; else facts.d in --data")
    more("--ready-file", type=Path, metavar="FILE", help="written when the node has joined")
    more("--verbose", "-v", action="store_true", help="tell more")


def _of_slivers(more: Callable[..., object]) -> None:
    driver = "how slivers are kept apart (default %(default)s)"
    more("--sliver-driver", default=AUTO, choices=[AUTO, *DRIVERS], help=driver)
    period = "seconds between calls of the status scripts, whatever a slice says"
    more("--status-period", type=_seconds, metavar="S", help=period)
    cache = "bound of the package cache, bytes (default %(default)s)"
    more("--cache-bytes", type=int, default=CACHE_BYTES, metavar="N", help=cache)
    more("--depot-mirror", default="", metavar="URL", help="a mirror of the depot nearby, asked first")
    podman = "makes the slivers out of images (default %(default)s)"
    more("--podman", default=PODMAN, metavar="auto|off|SOCKET", help=podman)
    root = "a root file system: a directory or a tar; may be repeated"
    more("--rootfs", action="append", metavar="NAME=PATH", help=root)
    more("--end-slivers", action="store_true", help="end the slivers with this program; else they live on")
    capacity = "for slivers: memory=4G,disk=50G,cpu=4, …; else most of what the machine has"
    more("--capacity", default="", metavar="LIST", help=capacity)


def config(options: argparse.Namespace) -> NodeConfig:
    """What the options mean.

    Raises:
        Invalid: one is not legal, or the token's file cannot be read.
    """
    return NodeConfig(
        planner=options.planner,
        authority=_authority(options.authority),
        token=_token(options),
        host=host(options.host),
        data=options.data.resolve(),
        sliver_driver=options.sliver_driver,
        status_period=options.status_period,
        cache_bytes=options.cache_bytes,
        depot_mirror=_http(options.depot_mirror),
        podman=options.podman,
        roots=dict(_root(text) for text in options.rootfs or ()),
        end_slivers=options.end_slivers,
        fact_programs=options.facts_dir,
        capacity=capacity_of(options.capacity) if options.capacity else None,
    )


def arguments(options: argparse.Namespace) -> list[str]:
    """The same as arguments, from anywhere: paths whole, and only what was given."""
    words = [
        "--planner",
        options.planner,
        "--host",
        host(options.host),
        "--data",
        str(_whole(options.data)),
    ]
    for name in ("token_file", "facts_dir", "ready_file"):
        if path := getattr(options, name):
            words += [_flag(name), str(_whole(path))]
    if options.authority:
        words += ["--authority", _authority(options.authority)]
    for name, default in _VALUES.items():
        if (value := getattr(options, name)) != default:
            words += [_flag(name), str(value)]
    for text in options.rootfs or ():
        name, path = _root(text)
        words += ["--rootfs", f"{name}={path}"]
    return words + [_flag(name) for name in ("end_slivers", "verbose") if getattr(options, name)]


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _whole(path: Path) -> Path:
    return path.absolute()


def _root(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals or not path or not name or Limits(root=name).root_package is not None:
        raise Invalid(f"--rootfs {text!r} is not NAME=PATH", hint="such as debian12=/srv/roots/debian12")
    return name, _whole(Path(path))


def _http(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise Invalid(f"--depot-mirror {url!r} is not a URL", hint="such as http://mirror.example.org:7082")
    return url.rstrip("/")


def _authority(text: str) -> str:
    """A fingerprint, or the whole path of a file."""
    if not text:
        return ""
    return fingerprint_of(text) if is_fingerprint(text) else str(_whole(Path(text)))


def _token(options: argparse.Namespace) -> str:
    if options.token_file is not None:
        try:
            return str(options.token_file.read_text()).strip()
        except OSError as error:
            raise Invalid(f"the token file cannot be read: {error}") from error
    return options.token or os.environ.get(TOKEN, "")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("a number of seconds above 0")
    return value
