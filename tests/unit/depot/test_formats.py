"""What the depot finds in Debian packages and wheels, and what it refuses."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from depot.reading import inspect
from dsmt_core.errors import Invalid
from tests.unit.depot.crafted import Entry, link, member, plain_tar

WriteFile = Callable[[bytes], Path]
CONTROL = b"Package: demo\nVersion: 1:1.0-1\nArchitecture: amd64\n"
START = member("./opt/dsmt/demo/start", b"#!/bin/sh\n", mode=0o755)


def ar(*members: tuple[str, bytes]) -> bytes:
    """An ar archive."""
    made = b"!<arch>\n"
    for name, content in members:
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n"
        made += header.encode() + content + b"\n" * (len(content) % 2)
    return made


def deb(*data: Entry, control: bytes = CONTROL, more: tuple[Entry, ...] = ()) -> bytes:
    """A Debian package; its tarballs are not compressed."""
    about = plain_tar([member("./", mode=0o755), member("./control", control), *more])
    return ar(("debian-binary", b"2.0\n"), ("control.tar", about), ("data.tar", plain_tar(data)))


def wheel(files: dict[str, str], *, mode: int = 0o100644) -> bytes:
    """A zip archive."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, text)
    return raw.getvalue()


def metadata(*more: str, version: str = "1.0") -> dict[str, str]:
    lines = "".join(f"{line}\n" for line in more)
    return {
        "demo-1.0.dist-info/METADATA": f"Name: Demo.Tool\nVersion: {version}\n{lines}",
        "demo-1.0.dist-info/WHEEL": "Tag: py3-none-any\n",
    }


def test_a_debian_package_says_what_it_is(file_of: WriteFile) -> None:
    depends = b"Depends: libword (>> 2:1.0), python3 | python3-minimal, libc6:any (>= 2.14), sh\n"
    control = CONTROL + b"Pre-Depends: first\n" + depends + b"Provides: tool (= 1.0)\n"
    content = deb(START, control=control, more=(member("./postinst", b"x", mode=0o755),))
    said = inspect(file_of(content))
    assert (said.kind, said.name, said.version, said.arch) == ("deb", "demo", "1:1.0-1", "x86_64")
    assert said.requires == ("first", "libword > 2:1.0", "libc6 >= 2.14", "sh")
    assert said.provides == ("tool = 1.0",)
    assert (said.application, said.scripts) == ("demo", ("start", "postinst"))
    assert inspect(file_of(deb(member("./usr/bin/x", b"x")))).application == ""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (deb(member("../etc/passwd", b"x")), "lies outside"),
        (deb(member("/etc/passwd", b"x")), "lies outside"),
        (deb(link("./a/b", "../../etc")), "leads out"),
        (deb(link("./a", "/../etc")), "leads out"),
        (deb(link("./a", "b", kind=tarfile.LNKTYPE)), "not in it"),
        (deb(member("./dev/x", kind=tarfile.CHRTYPE)), "device"),
        (deb(START, control=b"Package: demo\n"), "no Version"),
        (deb(START, control=CONTROL.replace(b"demo", b"Demo x")), "characters"),
        (deb(START, control=CONTROL + b"Depends: a b c\n"), "dependency"),
        (deb(START, control=b""), "no control file"),
        (deb(START, member("./opt/dsmt/other/start", b"x", mode=0o755)), "several applications"),
        (ar(("debian-binary", b"3.0\n")), "version 2"),
        (ar(("debian-binary", b"2.0\n")), "no control.tar"),
        (deb(START)[:-700], "cut off"),
        (b"!<arch>\n" + b"x" * 60, "damaged"),
        (ar(("debian-binary", b"2.0\n"), ("control.tar", b"BZh9"), ("data.tar", b"")), "damaged"),
    ],
)
def test_a_debian_package_that_is_hostile_or_broken_is_refused(
    content: bytes, reason: str, file_of: WriteFile
) -> None:
    with pytest.raises(Invalid, match=reason) as refused:
        inspect(file_of(content))
    assert refused.value.message.startswith("the Debian package cannot be used: ")


def test_a_wheel_says_what_it_is(file_of: WriteFile) -> None:
    requires = (
        "Requires-Dist: Some_Thing >=1,<3",
        "Requires-Dist: extra-only; extra == 'x'",
        "Requires-Dist: for-windows; sys_platform == 'win32'",
        "Requires-Dist: close ~=1.2",
    )
    files = metadata(*requires) | {
        "demo-1.0.dist-info/entry_points.txt": "[console_scripts]\ndemo-tool = demo:main\n"
    }
    said = inspect(file_of(wheel(files)))
    assert (said.kind, said.name, said.version, said.arch) == ("wheel", "demo-tool", "1.0", "noarch")
    assert sorted(said.requires) == ["close", "some-thing < 3", "some-thing >= 1"]
    assert (said.application, said.scripts) == ("demo-tool", ("start",))
    scripts = metadata() | {f"demo-1.0.data/scripts/{name}.sh": "" for name in ("start", "status")}
    assert inspect(file_of(wheel(scripts))).scripts == ("start", "status")
    assert inspect(file_of(wheel(metadata()))).application == ""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (wheel({"a.txt": "x"}), "no wheel"),
        (wheel(metadata() | {"../x": ""}), "lies outside"),
        (wheel(metadata(), mode=0o120777), "a link or a device"),
        (wheel(metadata(version="x y")), "not one of Python's"),
        (wheel(metadata(version="1!2.0")), "epoch"),
        (wheel(metadata("Requires-Dist: a b c")), "not legal"),
        (wheel({"demo-1.0.dist-info/WHEEL": ""}), "METADATA"),
        (wheel(metadata() | {"demo-1.0.dist-info/entry_points.txt": "x"}), "entry_points"),
        (wheel(metadata())[:-10], "damaged"),
        (wheel(metadata()).replace(b"Demo.Tool", b"Demo.Took", 1), "damaged"),
        (b"PK\x03\x04" + bytes(2000), "damaged"),
    ],
)
def test_a_wheel_that_is_hostile_or_broken_is_refused(
    content: bytes, reason: str, file_of: WriteFile
) -> None:
    with pytest.raises(Invalid, match=reason) as refused:
        inspect(file_of(content))
    assert refused.value.message.startswith("the wheel cannot be used: ")
