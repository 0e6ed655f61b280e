"""Signed packages as a publisher and a pi see them: real keys, a real planner, a real depot."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.e2e.application import App
from tests.integration.depot.test_rpm_signatures import Vendor
from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.test_audit import admin, planner
from tests.integration.dsmtc.test_keys import agent, made

__all__ = ["admin", "agent", "planner"]
NAMES = iter(range(100))


@pytest.fixture
def slice_(admin: Dsmtc, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"signed{next(NAMES)}"
    assert admin("create", "--slice", name).code == 0
    admin.environment["DSMT_SLICE"] = name
    return name


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "packages"
    folder.mkdir()
    return App(name="pinger").packages(folder)


def words(files: list[Path]) -> list[str]:
    return list(map(str, files))


def test_packages_are_put_signed_and_a_slice_takes_no_others(
    admin: Dsmtc, slice_: str, files: list[Path], tmp_path: Path
) -> None:
    key = made(tmp_path)
    assert "takes any package" in admin("publishers").out
    added = admin("publishers", "add", "build", f"{key}.pub")
    assert (added.code, "build" in added.out) == (0, True)
    assert "only signed by build" in admin("slice", "show").out

    put = admin("depot", "put", *words(files))
    assert put.code == 0, put
    refused = admin("setplan", "--plan", "all_nodes")
    assert refused.code in {0, 4}
    told = admin("publishers").out
    assert "not signed by them" in told
    assert f"pinger: {files[0].name}, {files[1].name}" in told
    refused = admin("start", "pinger")
    assert refused.code == 4
    assert "are not signed, and the slice" in refused.err
    assert "wants packages signed by build" in refused.err
    assert "dsmtc depot sign FILE --sign KEYFILE" in refused.err

    signed = admin("depot", "sign", *words(files), "--sign", str(key))
    assert signed.code == 0, signed
    assert signed.out.count("publisher build") == 2
    assert "not signed" not in admin("publishers").out
    assert admin("start", "pinger").code == 0
    listed = admin("depot", "list").out
    assert "SIGNED" in listed
    assert listed.count(" build") == 2

    newer = App(name="pinger", version="1.9").packages(files[0].parent)
    put = admin("depot", "put", *words(newer), "--sign", str(key))
    assert (put.code, put.out.count("publisher build")) == (0, 2)
    assert admin("update", "pinger").code == 0
    assert admin("publishers", "remove", "build").code == 0
    assert "takes no new packages" in admin("publishers").out
    assert admin("publishers", "any").code == 0
    assert admin("start", "pinger").code == 0
    acts = {one["act"] for one in admin("audit", "--about", slice_, "--count", "100", "--json").json}
    assert {"slice.publisher", "slice.no_publisher", "slice.any_publisher", "package.sign"} <= acts


@pytest.mark.usefixtures("slice_")
def test_the_agent_signs_and_so_does_a_key_that_is_kept_elsewhere(
    admin: Dsmtc,
    files: list[Path],
    tmp_path: Path,
    agent: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = made(tmp_path)
    assert admin("publishers", "add", "build", f"{key}.pub").code == 0
    text = admin("depot", "statement", str(files[0])).out
    assert text.startswith("dsmt-package 1\nkind rpm\nname pinger\n")
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "dsmt-package", "-f", str(key)]
    signature = tmp_path / "pinger.sig"
    signature.write_bytes(
        subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout
    )
    assert admin("depot", "put", *words(files)).code == 0
    assert "publisher build" in admin("depot", "sign", str(files[0]), "--signature", str(signature)).out
    # The same signature is of no other file.
    other = admin("depot", "sign", str(files[1]), "--signature", str(signature))
    assert (other.code, "this signature is not of dsmtw_pinger" in other.err) == (4, True)

    monkeypatch.setenv("SSH_AUTH_SOCK", agent["SSH_AUTH_SOCK"])
    subprocess.run(["ssh-add", "-q", str(key)], check=True, env=os.environ | agent)
    key.unlink()
    assert "publisher build" in admin("depot", "sign", str(files[1]), "--sign", f"{key}.pub").out
    assert "not signed" not in admin("publishers").out


@pytest.mark.usefixtures("slice_")
def test_what_cannot_sign_says_why_before_anything_is_sent(
    admin: Dsmtc, files: list[Path], tmp_path: Path
) -> None:
    key, closed = made(tmp_path), made(tmp_path, "a passphrase")
    rsa = tmp_path / "rsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", str(rsa)], check=True)
    bad = tmp_path / "bad"
    bad.write_text("garbage\n")
    bad.chmod(0o600)
    never = {"SSH_ASKPASS": "/bin/false", "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":9"}
    made_open = made(tmp_path)
    made_open.chmod(0o644)
    for file, code in ((closed, 4), (rsa, 3), (bad, 3), (made_open, 4), (tmp_path / "nothing", 3)):
        ended = admin("depot", "put", str(files[0]), "--sign", str(file), **never)
        assert (ended.code, 1 <= len(ended.err.splitlines()) <= 2) == (code, True), ended
    assert "depot holds nothing" in admin("depot", "list").out
    ended = admin("depot", "sign", str(files[0]), "--sign", str(key))
    assert (ended.code, "has no package" in ended.err) == (3, True)
    assert admin("depot", "sign", str(files[0])).code == 2
    assert admin("depot", "sign", str(bad), "--sign", str(key)).code == 3
    assert admin("depot", "put", str(files[0])).code == 0
    for name, text in (("garbage", b"garbage"), ("nul", b"\0\xff" * 10), ("long", b"x" * 20_000)):
        (tmp_path / name).write_bytes(text)
        assert admin("depot", "sign", str(files[0]), "--signature", str(tmp_path / name)).code == 3
    assert admin("publishers", "add", "build", str(key)).code == 3
    assert "ed25519" in admin("publishers", "add", "build", f"{rsa}.pub").err.lower()
    assert admin("publishers", "add", "Büild", f"{key}.pub").code == 3


@pytest.mark.usefixtures("slice_")
def test_an_image_is_signed_as_what_names_it(admin: Dsmtc, tmp_path: Path) -> None:
    key = made(tmp_path)
    assert admin("publishers", "add", "build", f"{key}.pub").code == 0
    image = f"docker.io/library/httpd@sha256:{'a' * 64}"
    put = admin("image", "site", image, "--version", "2", "--sign", str(key))
    assert (put.code, "site-2.image: signed by SHA256:" in put.out) == (0, True), put
    assert "not signed" not in admin("publishers").out
    assert admin("image", "site", "docker.io/library/httpd:2.5", "--sign", str(tmp_path / "no")).code == 3
    assert "2.5" not in admin("depot", "list").out


@pytest.mark.usefixtures("slice_")
def test_rpms_must_carry_a_signature_of_their_own(admin: Dsmtc, files: list[Path], tmp_path: Path) -> None:
    # GnuPG's agent listens on a path in it, which may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="gpg-"))
    ours, theirs = (Vendor.made(folder, name) for name in ("ours", "theirs"))
    try:
        key = tmp_path / "vendor.asc"
        key.write_text(ours.key)
        told = admin("publishers", "add", "vendor", str(key))
        assert (told.code, "must carry a signature of its own, of vendor" in told.out) == (0, True), told
        put = admin("depot", "put", str(files[0]))
        assert (put.code, "carries no signature of its own" in put.err) == (4, True), put
        theirs.sign(files[0])
        put = admin("depot", "put", str(files[0]))
        assert (put.code, "is signed with another key of OpenPGP" in put.err) == (4, True), put
        assert "holds nothing" in admin("depot", "list").out
        ours.sign(files[0])
        assert admin("depot", "put", str(files[0])).code == 0
        key.write_text("-----BEGIN PGP PRIVATE KEY BLOCK-----\n")
        assert admin("publishers", "add", "bad", str(key)).code == 3
        key.write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
        assert admin("publishers", "add", "bad", str(key)).code == 3
        assert admin("publishers", "remove", "vendor").code == 0
        assert admin("depot", "put", str(files[1])).code == 0
    finally:
        ours.end()
        theirs.end()
        shutil.rmtree(folder, ignore_errors=True)
