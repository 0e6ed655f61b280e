"""The limits of a slice's slivers, for people."""

from __future__ import annotations

from dsmt_core.limits import shown_size
from dsmtc.client import LimitsShown
from dsmtc.rendering.table import Table, View

_KIB = 1024


def limits(found: LimitsShown) -> View:
    """One line for the slice, and one for each node that has said what it enforces."""
    yield f"limits of each sliver of {found['slice']}: {found['text']}"
    rows = [
        (
            host.get("host", "-"),
            _of(host, "mem-use", "mem-quota"),
            _of(host, "disk-use", "disk-quota"),
            host.get("cpu-use", ""),
            host.get("limits-enforced", ""),
        )
        for host in found["hosts"]
    ]
    if rows:
        yield ""
        yield Table(("HOST", "MEMORY", "DISK", "CPU", "ENFORCED"), rows)


def _of(host: dict[str, str], use: str, quota: str) -> str:
    """``12M of 256M``; a dash for what is not known."""
    used, most = _size(host.get(use, "")), _size(host.get(quota, ""))
    return f"{used or '-'} of {most}" if most else used


def _size(text: str) -> str:
    return shown_size(int(text) * _KIB) if text.isascii() and text.isdecimal() and text != "0" else ""
