"""Whose packages slices take, and the signatures of packages, which are found true before they are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from dsmt_core.ed25519 import verify
from dsmt_core.errors import Denied, Full, Invalid, NotFound
from dsmt_core.names import Account, Slice
from dsmt_core.openssh import ed25519_key, openssh, shown
from dsmt_core.publishers import KEYS, PackageSignature, Publishers, publisher_name
from planner.requirements import Package
from planner.service.means import Means
from planner.store import packages, publishers
from planner.vouched import all_lacking
from planner.wanted import WantedSlice

_OPENPGP: Final = "-----BEGIN PGP "
_ARMOURED: Final = re.compile(
    r"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n.*-----END PGP PUBLIC KEY BLOCK-----\Z", re.DOTALL
)


class PublisherKeys:
    """Every method raises `NotFound` for a slice that does not exist."""

    def __init__(self, means: Means) -> None:
        self._database = means.database
        self._ledger = means.ledger
        self._clock = means.clock

    async def shown(self, slice_: Slice) -> dict[str, Any]:
        """Whose packages a slice takes, and what of it is not signed so, as the API shows it."""
        wanted = self._ledger.slice(slice_)
        return {
            "slice": slice_,
            **written_publishers(wanted),
            "rpm_keys": sorted(await self._database.read(publishers.rpm_keys, slice_)),
            "unsigned": [
                {"of": name, "files": files} for name, files in sorted(all_lacking(wanted).items())
            ],
        }

    async def add(self, slice_: Slice, name: str, key: str) -> dict[str, Any]:
        """Take packages of a publisher, and from now on none that no publisher has signed.

        Args:
            slice_: which.
            name: by which people know the publisher; one that is known gets another key.
            key: a line of a ``.pub`` file of OpenSSH. Or an armoured key of OpenPGP: from then on an RPM
                that is put must carry a signature of one of those, whatever else is demanded.

        Raises:
            Invalid: name or key are none, or the key is not of Ed25519.
            Full: the slice has as many as it may have.
        """
        called = publisher_name(name)
        if _OPENPGP in key:
            await self._ledger.change(slice_, _add_rpm_key, slice_, called, key)
            return await self.shown(slice_)
        public = ed25519_key(key)

        def added(connection: Connection) -> None:
            before = publishers.get(connection, slice_) or Publishers()
            _check_number(slice_, {**before.keys, called: public})
            publishers.put(connection, slice_, Publishers({**before.keys, called: public}))

        await self._ledger.change(slice_, added)
        return await self.shown(slice_)

    async def remove(self, slice_: Slice, name: str) -> dict[str, Any]:
        """Take no new packages of a publisher; without any publisher the slice takes no new ones at all.

        Raises:
            NotFound: the slice has none of this name.
        """

        def removed(connection: Connection) -> None:
            before, rpm = publishers.get(connection, slice_), publishers.rpm_keys(connection, slice_)
            if rpm.pop(name, None) is not None:
                publishers.put_rpm_keys(connection, slice_, rpm)
                return
            if before is None or name not in before.keys:
                raise NotFound(
                    f"{slice_} has no publisher {name[:60]!r}", hint="dsmtc publishers shows those it has"
                )
            keys = {known: key for known, key in before.keys.items() if known != name}
            publishers.put(connection, slice_, Publishers(keys))

        await self._ledger.change(slice_, removed)
        return await self.shown(slice_)

    async def open(self, slice_: Slice) -> dict[str, Any]:
        """Take any package again, signed or not."""

        def opened(connection: Connection) -> None:
            publishers.put(connection, slice_, None)
            publishers.put_rpm_keys(connection, slice_, {})

        await self._ledger.change(slice_, opened)
        return await self.shown(slice_)

    async def sign(self, slice_: Slice, filename: str, armoured: str, by: Account) -> dict[str, Any]:
        """Keep a signature of a package that is in the depot.

        Args:
            slice_: in whose depot.
            filename: of the package.
            armoured: what ``ssh-keygen -Y sign`` wrote over the package's statement.
            by: who brings it.

        Raises:
            NotFound: there is no such package.
            Invalid: it is no signature, or of another kind or purpose.
            Denied: it is not of this package.
            Conflict, Full: of `planner.store.publishers.sign`.
        """
        self._ledger.slice(slice_)
        package: Package = await self._database.read(packages.get, slice_, filename)
        signature = PackageSignature.of(armoured, publishers.about(package))
        if not signature.is_true(verify):
            raise Denied(
                f"this signature is not of {filename}: {package.kind} {package.name} {package.version} "
                f"{package.arch}, sha256 {package.digest[:12]}…",
                hint="sign the very file that is in the depot: dsmtc depot sign FILE --sign KEYFILE",
            )
        kept = publishers.signed_by(signature, at=self._clock(), by=by)
        await self._ledger.change(slice_, publishers.sign, slice_, filename, kept, package.digest)
        wanted = self._ledger.slice(slice_)
        name = wanted.publishers.name_of(signature.key) if wanted.publishers else ""
        return {"filename": filename, "key": shown(signature.key), "publisher": name}


def _add_rpm_key(connection: Connection, slice_: Slice, name: str, key: str) -> None:
    keys = {**publishers.rpm_keys(connection, slice_), name: key.strip()}
    _check_number(slice_, keys)
    if not _ARMOURED.match(keys[name]):
        raise Invalid("this is no public key of OpenPGP", hint="gpg --armor --export NAME writes one")
    publishers.put_rpm_keys(connection, slice_, keys)


def _check_number(slice_: Slice, keys: Mapping[str, object]) -> None:
    if len(keys) > KEYS:
        raise Full(f"{slice_} has {KEYS} publishers, and may have no more", hint="remove one first")


def written_publishers(wanted: WantedSlice) -> dict[str, Any]:
    """Whose packages a slice takes, as the API shows it with a slice, too."""
    known = wanted.publishers or Publishers()
    return {
        "signed_only": wanted.publishers is not None,
        "publishers": [
            {"name": name, "key": openssh(key), "fingerprint": shown(key)}
            for name, key in sorted(known.keys.items())
        ],
    }
