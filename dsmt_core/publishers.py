"""Publishers: who signs packages, what they sign, and whether what an order names is signed so. Pure.

Signed is a text that says what a package is and holds the digest of its bytes, with OpenSSH's signatures
(SSHSIG, Ed25519, SHA-512) and a purpose of its own: what somebody signed to log in, or for git, never
counts. So any Ed25519 key of OpenSSH is a publisher's, in a file or in an agent, and DSMT never sees its
private half. An order that the planner signs carries the keys that its slice takes, and the signatures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote

from dsmt_core.errors import Invalid
from dsmt_core.openssh import opened, shown, signed_content
from dsmt_core.packages import KINDS, PackageRef, package_digest
from dsmt_core.signing import PublicKey, Verify, in_text, out_of_text, public_key

NAMESPACE: Final = "dsmt-package"
"""The purpose that is signed with it: ``ssh-keygen -Y sign -n dsmt-package``."""
KEYS: Final = 16
"""So many publishers a slice has at most."""
SIGNATURES: Final = 8
"""So many signatures a package has at most, each of another key."""
PUBLISHERS_PAIR: Final = "publishers"
SIGNATURES_PAIR: Final = "package-signatures"
_NOBODY: Final = "-"
_FIRST: Final = "dsmt-package 1"
_WORD: Final = 256
_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,39}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a publisher says of a package: what it is, and the SHA-256 of its bytes (hex)."""

    kind: str
    name: str
    version: str
    arch: str
    digest: str

    @property
    def text(self) -> str:
        """What is signed: a line for each, so that people can read it; ends with a line break.

        Raises:
            Invalid: a word of it is none that can be signed.
        """
        words = {"kind": self.kind, "name": self.name, "version": self.version, "arch": self.arch}
        for name, word in words.items():
            if len(word) > _WORD or not word.isprintable() or not (word or name == "arch"):
                raise Invalid(f"the {name} {word[:40]!r} of this package cannot be signed")
        lines = [f"{name} {word}" for name, word in words.items()]
        return "\n".join([_FIRST, *lines, f"sha256 {package_digest(self.digest)}", ""])


@dataclass(frozen=True, slots=True)
class PackageSignature:
    """A statement with the signature of a key over it; whether it is of that key, `is_true` says."""

    about: Statement
    key: PublicKey
    signature: bytes

    def is_true(self, verify: Verify) -> bool:
        """Whether the key has signed just this."""
        try:
            message = self.about.text.encode()
        except Invalid:
            return False
        return verify(self.key, signed_content(message, NAMESPACE), self.signature)

    def __str__(self) -> str:
        """The word by which an order carries it."""
        said = (self.about.kind, self.about.name, self.about.version, self.about.arch)
        words = [self.about.digest, *(quote(word, safe="+~^:") for word in said)]
        return "/".join([*words, self.key, in_text(self.signature)])

    @classmethod
    def of(cls, armoured: str, about: Statement) -> PackageSignature:
        """What ``ssh-keygen -Y sign`` wrote, taken for a signature of a statement.

        Raises:
            Invalid: it is none, or of another kind, or made for another purpose.
        """
        return cls(about, *opened(armoured, NAMESPACE))

    @classmethod
    def parse(cls, text: str) -> PackageSignature:
        """The inverse of its text.

        Raises:
            Invalid: it is not one.
        """
        words = text.split("/")
        if len(words) != 7 or unquote(words[1]) not in KINDS:
            raise Invalid("the signature of a package cannot be read")
        kind, name, version, arch = map(unquote, words[1:5])
        digest = package_digest(words[0])
        about = Statement(kind=kind, name=name, version=version, arch=arch, digest=digest)
        return cls(about, public_key(words[5]), out_of_text(words[6]))


@dataclass(frozen=True, slots=True)
class Publishers:
    """Whose packages a slice takes: names and keys; with none, nothing new at all."""

    keys: Mapping[str, PublicKey] = field(default_factory=dict)

    def __str__(self) -> str:
        known = [f"{name} {shown(key)}" for name, key in sorted(self.keys.items())]
        return ", ".join(known) or "nobody"

    def name_of(self, key: PublicKey) -> str:
        """By which name they know a key; empty when they do not."""
        return next((name for name, known in self.keys.items() if known == key), "")


@dataclass(frozen=True, slots=True)
class Vouching:
    """What an order says of the publishers of its packages.

    Attributes:
        keys: that the slice takes; None: packages need not be signed.
        signatures: of packages of the order.
    """

    keys: frozenset[PublicKey] | None = None
    signatures: tuple[PackageSignature, ...] = ()

    @property
    def pairs(self) -> dict[str, str]:
        """As an order carries it; nothing where packages need not be signed."""
        if self.keys is None:
            return {}
        told = {PUBLISHERS_PAIR: " ".join(sorted(self.keys)) or _NOBODY}
        signatures = " ".join(map(str, self.signatures))
        return told | ({SIGNATURES_PAIR: signatures} if signatures else {})

    def refusal(self, package: PackageRef, verify: Verify, release: tuple[str, str] | None = None) -> str:
        """Why a package must not be used; empty when it may be.

        Args:
            package: as the order names it.
            verify: checks a signature.
            release: the name and version that it is to be; None: any.
        """
        if self.keys is None:
            return ""
        mine = [
            one for one in self.signatures if one.about.digest == package.digest and one.key in self.keys
        ]
        said = [one.about for one in mine if one.is_true(verify)]
        if not said:
            return f"{package.filename} is not signed by a publisher whose packages this slice takes"
        if release is None or release in {(one.name, one.version) for one in said}:
            return ""
        was = f"{said[0].name} {said[0].version}"
        return f"{package.filename} is signed as {was}, and ordered as {' '.join(release)}"


ANYBODY: Final = Vouching()


def vouching_of(pairs: Mapping[str, str]) -> Vouching:
    """The inverse of `Vouching.pairs`.

    Raises:
        Invalid: they are not that.
    """
    said = pairs.get(PUBLISHERS_PAIR)
    if not said:
        return ANYBODY
    keys = frozenset() if said == _NOBODY else frozenset(map(public_key, said.split()))
    return Vouching(keys, tuple(map(PackageSignature.parse, pairs.get(SIGNATURES_PAIR, "").split())))


def refusal(
    vouching: Vouching, packages: Sequence[PackageRef], verify: Verify, release: tuple[str, str]
) -> str:
    """Why packages must not be installed; empty when they may be.

    Args:
        vouching: of the order.
        packages: of it.
        verify: checks a signature.
        release: name and version that the last of them is ordered as.
    """
    if vouching.keys is None or not packages:
        return ""
    wrapper = vouching.refusal(packages[-1], verify, release)
    return wrapper or next(filter(None, (vouching.refusal(one, verify) for one in packages[:-1])), "")


def publisher_name(text: str) -> str:
    """A name for a publisher.

    Raises:
        Invalid: it is none.
    """
    if not _NAME.match(text):
        raise Invalid(
            f"{text[:60]!r} is not a name for a publisher",
            hint="small letters, digits, dot, hyphen and underscore, at most 40, such as build",
        )
    return text
