"""An RPM's own signature, with real keys, as the real rpm judges it; never with the machine's keyring."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from depot.header import read_header
from depot.reading import inspect
from depot.rpm_signature import Verdict, judged
from dsmt_core.errors import Invalid, Unavailable
from tests.e2e.application import App

_TOOLS = ("gpg", "rpmsign", "rpmkeys")
pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in _TOOLS), reason="needs gpg and rpmsign"
)


@dataclass(frozen=True)
class Vendor:
    """A key of OpenPGP, in a keyring of its own."""

    home: Path
    name: str

    @classmethod
    def made(cls, folder: Path, name: str) -> Vendor:
        home = folder / name
        home.mkdir(mode=0o700)
        vendor = cls(home, f"{name}@example.com")
        vendor.gpg("--passphrase", "", "--quick-gen-key", vendor.name, "rsa2048", "sign", "never")
        return vendor

    @property
    def key(self) -> str:
        return self.gpg("--armor", "--export", self.name)

    def gpg(self, *words: str) -> str:
        command = ["gpg", "--quiet", "--batch", "--homedir", str(self.home), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def sign(self, rpm: Path) -> None:
        macros = ["--define", f"_gpg_name {self.name}", "--define", f"__gpg {shutil.which('gpg')}"]
        environment = os.environ | {"GNUPGHOME": str(self.home)}
        command = ["rpmsign", *macros, "--addsign", str(rpm)]
        subprocess.run(command, check=True, capture_output=True, env=environment)

    def end(self) -> None:
        """The agent of gpg ends."""
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=False)


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Vendor]]:
    folder = tmp_path_factory.mktemp("gpg")
    made = [Vendor.made(folder, name) for name in ("ours", "theirs")]
    yield made
    for one in made:
        one.end()


@pytest.fixture
def rpm(tmp_path: Path) -> Path:
    return App(name="own").packages(tmp_path)[0]


def altered(rpm: Path, at: int) -> Path:
    """The RPM with one bit of its signature turned."""
    content = bytearray(rpm.read_bytes())
    file = io.BytesIO(bytes(content))
    file.read(96)
    signature = read_header(file).blob(268)
    begin = bytes(content).index(signature)
    content[begin + at if at >= 0 else begin + len(signature) + at] ^= 0x81
    rpm.write_bytes(content)
    return rpm


def test_rpm_says_whose_signature_it_is(vendors: list[Vendor], rpm: Path) -> None:
    ours, theirs = vendors
    assert judged(rpm) is judged(rpm, [ours.key]) is Verdict.UNSIGNED
    ours.sign(rpm)
    assert inspect(rpm).name == "own"
    assert judged(rpm, [ours.key]) is judged(rpm, [theirs.key, ours.key]) is Verdict.GOOD
    assert judged(rpm) is judged(rpm, [theirs.key]) is Verdict.UNKNOWN


def test_a_signature_that_is_not_of_it_is_broken(vendors: list[Vendor], rpm: Path) -> None:
    ours, theirs = vendors
    ours.sign(rpm)
    altered(rpm, -5)
    assert judged(rpm, [ours.key]) is Verdict.BROKEN
    assert judged(rpm, [theirs.key]) is Verdict.UNKNOWN


def test_what_is_no_signature_at_all_is_refused_without_any_key(vendors: list[Vendor], rpm: Path) -> None:
    vendors[0].sign(rpm)
    altered(rpm, 2)
    assert judged(rpm) is Verdict.BROKEN
    with pytest.raises(Invalid, match="its signature is none"):
        inspect(rpm)


def test_neither_keys_nor_settings_of_the_machine_count(
    vendors: list[Vendor], rpm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = vendors[0]
    ours.sign(rpm)
    monkeypatch.setenv("HOME", str(tmp_path))
    keys = tmp_path / "db"
    (tmp_path / "key.asc").write_text(ours.key)
    (tmp_path / ".rpmmacros").write_text(f"%_dbpath {keys}\n%_pkgverify_level none\n")
    subprocess.run(["rpmkeys", "--dbpath", str(keys), "--import", str(tmp_path / "key.asc")], check=True)
    told = subprocess.run(["rpmkeys", "-v", "-K", str(rpm)], check=True, capture_output=True, text=True)
    assert "Signature" in told.stdout
    assert judged(rpm) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "key",
    [
        "",
        "garbage",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n" + "x" * 70_000 + "\n-----END PGP PUBLIC KEY BLOCK-----\n",
    ],
)
def test_what_is_no_key_is_refused(rpm: Path, key: str) -> None:
    with pytest.raises(Invalid):
        judged(rpm, [key])


def test_without_rpm_nobody_can_say(rpm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Unavailable, match="no rpm here"):
        judged(rpm)
