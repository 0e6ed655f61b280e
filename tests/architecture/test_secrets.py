"""No secret is in the repository: no key, no password that opens something, no file that holds such."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
_MOST_BYTES: Final = 1 << 20
_NAMES: Final = re.compile(
    r"(\.(pem|key|p12|pfx|jks|keystore|kdbx|env|secret|token|htpasswd)$)"
    r"|(^|/)(id_(rsa|dsa|ecdsa|ed25519)|\.netrc|\.pgpass|\.env|\.dsmt|order\.key|node\.key|depot-secrets\.json)$"
)
_TEXTS: Final = {
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=\\]{20}"),
    "a key of a cloud": re.compile(rb"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a token of a code host": re.compile(rb"\b(gh[pousr]_[A-Za-z0-9]{36}|glpat-[A-Za-z0-9_-]{20})\b"),
    "a token of a registry": re.compile(rb"\b(pypi-AgEI[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{36})\b"),
    "a signed token": re.compile(rb"\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{10,}"),
}


def kept() -> list[str]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no clone of the repository")
    return [name for name in listed.stdout.decode().split("\0") if name]


def secrets_in(content: bytes) -> list[str]:
    return [what for what, form in _TEXTS.items() if form.search(content)]


def test_no_file_is_one_that_holds_secrets() -> None:
    assert [name for name in kept() if _NAMES.search(name)] == []


def test_no_file_has_a_secret_in_it() -> None:
    found = {}
    for name in kept():
        path = ROOT / name
        if path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as file:
            if told := secrets_in(file.read(_MOST_BYTES)):
                found[name] = told
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        b"-----BEGIN " + b"PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIGlu",
        b"-----BEGIN OPENSSH " + b"PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU",
        b"key = 'AKIA" + b"ABCDEFGHIJKLMNOP'",
        b"ghp_" + b"a" * 36,
        b"eyJ" + b"a" * 20 + b".eyJ" + b"b" * 20 + b"." + b"c" * 20,
    ],
)
def test_a_secret_would_be_found(text: bytes) -> None:
    assert secrets_in(text)


@pytest.mark.parametrize("name", ["a/tls.pem", "order.key", "x/.env", "id_ed25519", "u/.netrc", "p.p12"])
def test_a_file_of_secrets_would_be_found(name: str) -> None:
    assert _NAMES.search(name)
