"""Certificates made and read: roots bound to names of their own, servers, devices. No files."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sync2gear_cli.tls.names import Name

ROOT_DAYS: Final = 3650
SERVER_DAYS: Final = 90
DEVICE_DAYS: Final = 825
"""The longest that phones accept of a certificate below a root that its owner installed."""

_EARLIER: Final = timedelta(days=1)
"""Valid since yesterday, for clients whose clocks are a little behind."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def certificate_pem(self) -> str:
        """The certificate alone."""
        return pem(self.certificate)

    def key_pem(self) -> str:
        """The private key, PKCS 8, without a password: the file's mode protects it."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()


def pem(certificate: x509.Certificate) -> str:
    """``certificate`` as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def der(certificate: x509.Certificate) -> bytes:
    """``certificate`` as phones take it."""
    return certificate.public_bytes(serialization.Encoding.DER)


def read(text: str) -> list[x509.Certificate]:
    """Every certificate in ``text``; ValueError where there is none."""
    return x509.load_pem_x509_certificates(text.encode())


def read_signed(text: str) -> Signed:
    """A certificate and its key from one text; ValueError if they are no pair."""
    key = serialization.load_pem_private_key(text.encode(), password=None)
    certificate = read(text)[0]
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not a key on an elliptic curve")  # noqa: TRY004 - a bad file, not a bug
    if certificate.public_key() != key.public_key():
        raise ValueError("the key is not that of the certificate")
    return Signed(certificate, key)


def make_root(name: str, permitted: Sequence[str], now: datetime, days: int) -> Signed:
    """A new root that can vouch for nothing but ``permitted`` domains and networks.

    Whoever steals its key cannot pose as a stranger's bank towards the phones that trust it.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "sync2gear"),
            x509.NameAttribute(NameOID.COMMON_NAME, name[:64]),
        ]
    )
    usage = _usage(key_cert_sign=True, crl_sign=True)
    certificate = (
        _begun(subject, subject, key, now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.NameConstraints([_subtree(one) for one in permitted], None), critical=True
        )
        .sign(key, hashes.SHA256())
    )
    return Signed(certificate, key)


def make_server(root: Signed, names: Sequence[Name], now: datetime, days: int) -> Signed:
    """A server's certificate for ``names``, the first of which is its title."""
    alternatives = [
        x509.DNSName(name) if isinstance(name, str) else x509.IPAddress(name) for name in names
    ]
    return _make_leaf(root, str(names[0]), alternatives, ExtendedKeyUsageOID.SERVER_AUTH, now, days)


def make_device(root: Signed, username: str, now: datetime, days: int) -> Signed:
    """A device's certificate; ``username`` is its name at the broker."""
    device = username.rpartition("/")[2]
    alternatives = [x509.UniformResourceIdentifier(f"urn:uuid:{device}")]
    return _make_leaf(root, username, alternatives, ExtendedKeyUsageOID.CLIENT_AUTH, now, days)


def names_of(certificate: x509.Certificate) -> list[Name]:
    """The names and addresses that ``certificate`` vouches for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    hosts: list[Name] = list(found.get_values_for_type(x509.DNSName))
    for address in found.get_values_for_type(x509.IPAddress):
        if isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address):
            hosts.append(address)  # noqa: PERF401 - a comprehension would lose the type
    return hosts


def permitted_by(root: x509.Certificate) -> list[str]:
    """The domains and networks for which ``root`` may vouch."""
    limits = root.extensions.get_extension_for_class(x509.NameConstraints).value
    return [str(one.value) for one in limits.permitted_subtrees or ()]


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 as people compare it: pairs of digits with colons."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def is_signed_by(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    """Whether ``root`` itself has signed ``certificate``."""
    try:
        certificate.verify_directly_issued_by(root)
    except Exception:  # noqa: BLE001 - ValueError, TypeError or InvalidSignature: it is not
        return False
    return True


def _make_leaf(
    root: Signed,
    title: str,
    alternatives: Sequence[x509.GeneralName],
    purpose: x509.ObjectIdentifier,
    now: datetime,
    days: int,
) -> Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title[-64:])])
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key())
    certificate = (
        _begun(subject, root.certificate.subject, key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(authority, critical=False)
        .sign(root.key, hashes.SHA256())
    )
    return Signed(certificate, key)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    begin = now.astimezone(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - _EARLIER)
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _subtree(permitted: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_network(permitted))
    except ValueError:
        return x509.DNSName(permitted)


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
