"""What a publisher signs, what counts, and what does not."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.commands import Order, Verb, order_of
from dsmt_core.ed25519 import verify
from dsmt_core.errors import Invalid
from dsmt_core.events import Sender
from dsmt_core.names import Application, Host, Slice
from dsmt_core.openssh import ed25519_key, opened, openssh, shown
from dsmt_core.packages import PackageRef
from dsmt_core.publishers import (
    ANYBODY,
    NAMESPACE,
    PackageSignature,
    Publishers,
    Statement,
    Vouching,
    publisher_name,
    refusal,
    vouching_of,
)
from tests.publisher import Publisher, armour, statement

OURS, THEIRS = Publisher("o"), Publisher("t")
LIB = statement(b"lib", "pinger", "1.8-1")
WRAPPER = statement(b"wrapper", "dsmtw_pinger", "1.8-1")
RELEASE = ("dsmtw_pinger", "1.8-1")
words = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cn", "Co", "Cf", "Zs")), min_size=1
)


def ref(about: Statement) -> PackageRef:
    return PackageRef(about.digest, 10, f"{about.name}.rpm")


PACKAGES = (ref(LIB), ref(WRAPPER))
SIGNED = Vouching(frozenset({OURS.key}), (OURS.signs(LIB), OURS.signs(WRAPPER)))


def test_what_is_signed_can_be_read_by_people() -> None:
    digest = LIB.digest
    text = f"dsmt-package 1\nkind rpm\nname pinger\nversion 1.8-1\narch noarch\nsha256 {digest}\n"
    assert LIB.text == text
    for bad in (
        {"name": "a\nversion 2"},
        {"version": ""},
        {"name": "x" * 257},
        {"kind": "r\0"},
        {"arch": "\u2028"},
    ):
        with pytest.raises(Invalid):
            _ = replace(LIB, **bad).text
        assert not PackageSignature(replace(LIB, **bad), OURS.key, b"x").is_true(verify)
    assert replace(LIB, arch="", name="пингер").text


@given(name=words, version=words, arch=words)
def test_a_signature_travels_whole_and_of_no_other_words(name: str, version: str, arch: str) -> None:
    about = replace(LIB, name=name[:100], version=version[:100], arch=arch[:100])
    one = OURS.signs(about)
    assert PackageSignature.parse(str(one)) == one
    assert " " not in str(one)
    assert one.is_true(verify)
    for other in (replace(about, name=f"{name[:100]}x"), replace(about, version=f"{version[:100]}1"), LIB):
        assert not replace(one, about=other).is_true(verify) or other == about


def test_a_signature_is_of_one_key_one_purpose_and_one_digest() -> None:
    one = OURS.signs(LIB)
    assert not replace(one, key=THEIRS.key).is_true(verify)
    assert not replace(one, signature=one.signature[::-1]).is_true(verify)
    with pytest.raises(Invalid, match="signed for 'dsmt-login', and not for 'dsmt-package'"):
        PackageSignature.of(OURS.armoured(LIB.text, "dsmt-login"), LIB)
    bare = replace(one, signature=OURS.signer.sign(LIB.text.encode()))
    assert not bare.is_true(verify)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "x" * 9000,
        armour(b""),
        armour(b"SSHSIG\0\0\0\2"),
        armour(b"SSHSIG\0\0\0\1"),
        armour(b"SSHSIG\0\0\0\1" + b"\0\0\0\xff"),
        OURS.armoured(LIB.text).replace("SIGNATURE", "KEY"),
        OURS.armoured(LIB.text).replace("U", "!"),
        OURS.armoured(LIB.text).replace("-----END", "AAAA\n-----END"),
    ],
)
def test_what_is_no_signature_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Invalid):
        opened(text, NAMESPACE)


def test_other_digests_and_kinds_are_not_taken() -> None:
    blob = base64.b64decode("".join(OURS.armoured(LIB.text).splitlines()[1:-1]))
    with pytest.raises(Invalid, match="another digest"):
        opened(armour(blob.replace(b"sha512", b"sha256")), NAMESPACE)
    with pytest.raises(Invalid, match="not of Ed25519, but ssh-ed44819"):
        opened(armour(blob.replace(b"ssh-ed25519", b"ssh-ed44819")), NAMESPACE)
    twice = blob.replace(b"ssh-ed25519", b"\0", 1).replace(b"ssh-ed25519", b"ssh-ed44819")
    with pytest.raises(Invalid):
        opened(armour(twice), NAMESPACE)
    head, _, tail = blob.rpartition(b"ssh-ed25519")
    with pytest.raises(Invalid, match="no signature"):
        opened(armour(head + b"ssh-ed44819" + tail), NAMESPACE)


def test_keys_are_read_as_openssh_writes_them(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    line = key.with_suffix(".pub").read_text()
    public = ed25519_key(line)
    assert line.startswith(openssh(public))
    told = subprocess.run(
        ["ssh-keygen", "-lf", str(key)], check=True, capture_output=True, text=True
    ).stdout
    assert shown(public) in told
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(key)]
    made = subprocess.run(command, input=LIB.text.encode(), capture_output=True, check=True).stdout.decode()
    assert PackageSignature.of(made, LIB).is_true(verify)
    with pytest.raises(Invalid, match="private key"):
        ed25519_key(key.read_text())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 ????",
        "ssh-ed25519 AAAA",
        f"{OURS.line}\n{OURS.line}",
        "ssh-rsa AAAA me",
        "x " * 9000,
    ],
)
def test_what_is_no_key_of_ed25519_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        ed25519_key(text)


def test_where_nobody_is_named_anything_goes() -> None:
    assert refusal(ANYBODY, PACKAGES, verify, RELEASE) == ""
    assert ANYBODY.pairs == {}
    assert refusal(SIGNED, (), verify, RELEASE) == ""


def test_what_is_signed_by_a_publisher_goes() -> None:
    assert refusal(SIGNED, PACKAGES, verify, RELEASE) == ""
    both = replace(SIGNED, keys=frozenset({OURS.key, THEIRS.key}))
    assert refusal(both, PACKAGES, verify, RELEASE) == ""


@pytest.mark.parametrize(
    ("vouching", "why"),
    [
        (replace(SIGNED, keys=frozenset()), "is not signed"),
        (replace(SIGNED, keys=frozenset({THEIRS.key})), "is not signed"),
        (replace(SIGNED, signatures=()), "is not signed"),
        (replace(SIGNED, signatures=SIGNED.signatures[1:]), "pinger.rpm is not signed"),
        (replace(SIGNED, signatures=SIGNED.signatures[:1]), "dsmtw_pinger.rpm is not signed"),
        (
            replace(SIGNED, signatures=tuple(replace(one, key=THEIRS.key) for one in SIGNED.signatures)),
            "is not signed",
        ),
        (
            replace(
                SIGNED, signatures=(*SIGNED.signatures[:1], replace(SIGNED.signatures[0], about=WRAPPER))
            ),
            "is not signed",
        ),
        (
            replace(
                SIGNED, signatures=(SIGNED.signatures[0], OURS.signs(replace(WRAPPER, version="1.7-1")))
            ),
            "is signed as dsmtw_pinger 1.7-1, and ordered as dsmtw_pinger 1.8-1",
        ),
        (
            replace(
                SIGNED, signatures=(SIGNED.signatures[0], OURS.signs(replace(WRAPPER, name="dsmtw_x")))
            ),
            "is signed as dsmtw_x 1.8-1",
        ),
    ],
)
def test_what_is_not_signed_just_so_does_not_go(vouching: Vouching, why: str) -> None:
    assert why in refusal(vouching, PACKAGES, verify, RELEASE)


def test_an_order_carries_it_whole() -> None:
    order = Order(
        verb=Verb.APPCONFIG,
        host=Host("h1"),
        slice=Slice("s1"),
        generation=1,
        application=Application("pinger"),
        wrapper=RELEASE[0],
        version=RELEASE[1],
        packages=PACKAGES,
        vouching=SIGNED,
    )
    for one in (order, replace(order, vouching=Vouching(frozenset())), replace(order, vouching=ANYBODY)):
        sender = Sender("s1_mgr", "planner", "1")
        event = sender.event("/c/", "f", now=1.0, id_="1", value=one.text, pairs=one.pairs)  # type: ignore[arg-type]
        assert order_of(event) == one
    for bad in ({"publishers": "x"}, {"publishers": OURS.key, "package-signatures": "a/b"}):
        with pytest.raises(Invalid):
            vouching_of(bad)
    with pytest.raises(Invalid, match="cannot be read"):
        PackageSignature.parse(str(OURS.signs(LIB)).replace("/rpm/", "/zip/"))


def test_publishers_have_names() -> None:
    assert publisher_name("build-2.x") == "build-2.x"
    for bad in ("", "Build", "a b", "ü", "a" * 41, "-a", "a\n"):
        with pytest.raises(Invalid):
            publisher_name(bad)
    both = Publishers({"build": OURS.key})
    assert (both.name_of(OURS.key), both.name_of(THEIRS.key)) == ("build", "")
    assert str(both) == f"build {shown(OURS.key)}"
    assert str(Publishers()) == "nobody"
