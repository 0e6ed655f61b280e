"""The authorities of an installation, and the certificates of its hosts and of their clients.

One signs hosts (brokers, planner, depots), another one clients (nodes and what is on them): so a node's
certificate passes for no host anywhere, not even between the hosts of a broker's cluster.

Rule: who trusts the authority for a host of the installation trusts nobody else there, and trusts it for
nothing else: it travels in the broker's URL (`broker.address`), or is pinned by its fingerprint
(`dsmt_core.authorities`), and is in no machine's list of trusted authorities.

Keys are of the curve P-256: every RabbitMQ, Erlang and Python that DSMT runs with takes them, and the
authority stays short enough for a URL. Source: RFC 5280.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from broker.cluster import Certified
from dsmt_core.errors import Invalid

# One that ends while nobody thinks of it stops the whole installation at once, and nobody revokes: a short
# life would protect from little. The authority is in every URL, so it outlives what it signs.
HOST_LIFE: Final = timedelta(days=3650)
AUTHORITY_LIFE: Final = 2 * HOST_LIFE
# Machines whose clocks are behind take it as well.
_BEFORE: Final = timedelta(days=1)
# The longest common name; the name that counts is the alternative one.
_COMMON_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Authority:
    """Whose signature makes a host one of this installation.

    Attributes:
        certificate: PEM.
        key: PEM; whoever has it may pass for any of the hosts.
    """

    certificate: bytes
    key: bytes = field(repr=False)

    @classmethod
    def made(cls, now: datetime, of: str = "DSMT authority") -> Self:
        """A new one of this name, valid from ``now``, which has a time zone."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(of)
        certificate = (
            _begun(name, name, key.public_key(), (now, AUTHORITY_LIFE))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate.public_bytes(Encoding.PEM), _pem(key))

    @property
    def der(self) -> bytes:
        """The certificate as a URL carries it."""
        return x509.load_pem_x509_certificate(self.certificate).public_bytes(Encoding.DER)

    def certify(
        self, host: str, now: datetime, *, others: Iterable[str] = (), lasts: timedelta = HOST_LIFE
    ) -> Certified:
        """A new key for ``host``, with a certificate that serves clients and the other hosts.

        Args:
            host: the name, or address, by which all see it.
            now: with a time zone; it is valid from then on, and not longer than the authority.
            others: further names and addresses that it has.
            lasts: how long it is valid.

        Raises:
            Invalid: the authority's files are not a certificate and its key.
        """
        issuer, signing = self._loaded()
        key = ec.generate_private_key(ec.SECP256R1())
        ends = min(now + lasts, issuer.not_valid_after_utc)
        names = dict.fromkeys([host, *others])
        certificate = (
            _begun(_name(host), issuer.subject, key.public_key(), (now, ends - now))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(
                # Between the hosts each is the other's client.
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
            )
            .sign(signing, hashes.SHA256())
        )
        return Certified(
            authority=self.certificate.decode(),
            certificate=certificate.public_bytes(Encoding.PEM).decode(),
            key=_pem(key).decode(),
        )

    def certify_client(
        self, host: str, key: bytes, now: datetime, *, lasts: timedelta, name: str = ""
    ) -> bytes:
        """A certificate with which a host can show itself to servers, and pass for none; in DER.

        Args:
            host: its name.
            key: the public key, Ed25519, 32 bytes; whose it is the caller has made sure of.
            now: with a time zone; it is valid from a day before, for clocks that are behind.
            lasts: for how long from ``now``.
            name: what on the host has the key; empty: the host itself.

        Raises:
            Invalid: the authority's files are not a certificate and its key, or ``key`` is none.
        """
        issuer, signing = self._loaded()
        try:
            public = Ed25519PublicKey.from_public_bytes(key)
        except ValueError as error:
            raise Invalid("a client's key is Ed25519, of 32 bytes") from error
        lasts = min(lasts, issuer.not_valid_after_utc - now)
        certificate = (
            _begun(_name(name or host), issuer.subject, public, (now, lasts))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
            .add_extension(x509.SubjectAlternativeName(_alternatives([host])), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
            )
            .sign(signing, hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.DER)

    def check(self) -> None:
        """Refuse what is not a certificate and its key.

        Raises:
            Invalid: it is not.
        """
        self._loaded()

    def _loaded(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate)
            key = load_pem_private_key(self.key, password=None)
        except (ValueError, TypeError) as error:
            raise Invalid("the authority is no certificate and key in PEM") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise Invalid("the authority's key is not the one of its certificate")
        return certificate, key


@dataclass(frozen=True, slots=True)
class Life:
    """What a certificate says of itself.

    Attributes:
        begins, ends: with a time zone.
        hosts: names and addresses that it is of.
        issuer: of whose key it is, as the certificates of an authority say it; empty: it does not say.
    """

    begins: datetime
    ends: datetime
    hosts: frozenset[str]
    issuer: bytes


def life_of(certificate: bytes) -> Life:
    """The life of a certificate (PEM; of several the first).

    Raises:
        Invalid: it is none.
    """
    try:
        read = x509.load_pem_x509_certificate(certificate)
    except ValueError as error:
        raise Invalid("it is no certificate in PEM") from error
    hosts: set[str] = set()
    issuer = b""
    with suppress(x509.ExtensionNotFound):
        said = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts |= set(said.get_values_for_type(x509.DNSName))
        hosts |= {str(one) for one in said.get_values_for_type(x509.IPAddress)}
    with suppress(x509.ExtensionNotFound):
        of = read.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        issuer = of.key_identifier or b""
    return Life(read.not_valid_before_utc, read.not_valid_after_utc, frozenset(hosts), issuer)


def key_of(certificate: bytes) -> bytes:
    """The name of the key that a certificate (PEM) is of, as `Life.issuer` names it."""
    read = x509.load_pem_x509_certificate(certificate)
    return x509.SubjectKeyIdentifier.from_public_key(read.public_key()).digest


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey | Ed25519PublicKey,
    life: tuple[datetime, timedelta],
) -> x509.CertificateBuilder:
    begins, lasts = life
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - _BEFORE)
        .not_valid_after(begins + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:_COMMON_NAME])])


def _alternatives(hosts: Collection[str]) -> list[x509.GeneralName]:
    """What they may be called: Erlang looks for an address among the names, others where it belongs."""
    named: list[x509.GeneralName] = []
    for host in hosts:
        if ":" not in host:
            named.append(x509.DNSName(host))
        with suppress(ValueError):
            named.append(x509.IPAddress(ip_address(host)))
    return named


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
