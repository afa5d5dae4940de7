"""The broker's TLS listener: where it listens, and its certificate as the broker reads it."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from sync2gear_cli.services import process
from sync2gear_cli.services.process import Account, ServiceError


@dataclass(frozen=True, slots=True)
class TlsListener:
    """Where devices connect over TLS, and with which certificate they are met.

    ``ca`` is the bundle against which a device's own certificate is checked if one is required.
    """

    port: int
    host: str
    certificate: Path
    key: Path
    ca: Path | None = None
    require_certificate: bool = False

    def lay(self, folder: Path, account: Account | None) -> bool:
        """Copy certificate, key and bundle for the broker's account; whether that changed them.

        The pair goes into one file, replaced as a whole. ServiceError where they do not fit.
        """
        try:
            pair = self.certificate.read_text() + self.key.read_text()
            trust = (self.ca or self.certificate).read_text()
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key)
        except (OSError, UnicodeDecodeError) as error:
            raise ServiceError(f"the broker's certificate {self.certificate}: {error}") from None
        changed = False
        for path, text in ((pair_file(folder), pair), (trust_file(folder), trust)):
            if not path.exists() or path.read_text() != text:
                process.write_file(path, text, 0o640, account)
                changed = True
        return changed


def pair_file(folder: Path) -> Path:
    """The broker's copy of its certificate and key."""
    return folder / "pair.pem"


def trust_file(folder: Path) -> Path:
    """The broker's copy of what it trusts."""
    return folder / "trust.pem"
