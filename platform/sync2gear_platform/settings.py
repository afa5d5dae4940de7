"""The one Settings, read once from ``S2G_`` environment variables and passed down."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BeforeValidator, Field, IPvAnyNetwork, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PLACEHOLDER_SECRET = "change-me"  # noqa: S105 - the value that is refused outside development


def _listed(value: Any) -> Any:
    """The elements of a list that is written with commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Rate = Annotated[str, Field(pattern=r"^(off|[1-9][0-9]{0,8}/(second|minute|hour))$")]
"""So many in so long, for example ``600/minute``, or ``off``."""

Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.\[\]:-]+$")]
"""Scheme, host and perhaps port, as browsers write it; never ``*``."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and how the way there is protected."""

    host: str
    port: int
    tls: Literal["starttls", "implicit", "none"]
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""


class Settings(BaseSettings):
    """Everything that differs between two installations. Secrets never print."""

    model_config = SettingsConfigDict(env_prefix="S2G_", env_ignore_empty=True, extra="ignore")

    env: Literal["dev", "prod"] = "prod"
    data_dir: Path = Path("/var/lib/sync2gear")
    secret_key: SecretStr = SecretStr(PLACEHOLDER_SECRET)
    vault_keys: SecretStr = SecretStr(PLACEHOLDER_SECRET)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    sentry_dsn: SecretStr | None = None

    database_url: SecretStr = SecretStr("postgresql://sync2gear_app@localhost/sync2gear")
    database_admin_url: SecretStr | None = None
    database_pool: int = Field(default=10, ge=1, le=100)

    mqtt_url: SecretStr = SecretStr("mqtt://localhost:1884")
    mqtt_device_url: str = "mqtt://localhost:1883"
    mqtt_password_file: Path | None = None
    mqtt_pid_file: Path | None = None

    media_url: str = ""
    media_base_url: Annotated[str, Field(pattern=r"^(https?://[^\s?#]+[^\s?#/])?$")] = ""
    import_dir: Path | None = None
    upload_dir: Path | None = None
    piper_voices: Path | None = None
    audit_anchors: Path | None = None
    tombstones: Path | None = None
    exports: Path | None = None
    grace_days: int = Field(default=30, ge=0, le=365)
    web_dir: Path | None = None
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65535)
    public_url: str = Field(default="http://127.0.0.1:8080", max_length=500)

    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_listed)] = ()
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_listed)] = ()

    rate_sign_in: Rate = "30/minute"
    rate_commands: Rate = "600/minute"
    rate_commands_shared: Rate = "6000/minute"
    rate_reads: Rate = "1200/minute"
    rate_reads_shared: Rate = "12000/minute"
    rate_uploads: Rate = "60/minute"
    rate_uploads_shared: Rate = "300/minute"
    rate_fetches: Rate = "1200/minute"
    rate_fetches_shared: Rate = "120000/minute"

    smtp_url: SecretStr | None = None
    mail_from: str = ""

    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None
    https_host: str = ""
    https_port: int = Field(default=8443, ge=0, le=65535)

    signup: Literal["open", "closed"] = "open"
    argon2_memory_kib: int = Field(default=65536, ge=1024)
    breached_passwords: Path | None = None

    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_domains: str = ""

    @model_validator(mode="after")
    def _no_placeholder_secret(self) -> Self:
        key = self.secret_key.get_secret_value()
        if self.env != "dev" and (key == PLACEHOLDER_SECRET or len(key) < 32):
            raise ValueError("S2G_SECRET_KEY must be set to at least 32 random characters")
        return self

    @model_validator(mode="after")
    def _a_vault_of_its_own(self) -> Self:
        try:
            found = [Fernet(key) for key in self.vault_key_list]
        except ValueError:
            found = []
        if not found:
            raise ValueError(
                "S2G_VAULT_KEYS must be keys from `sync2gear vault new-key`, separated by commas"
            )
        return self

    @model_validator(mode="after")
    def _a_whole_pair(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("S2G_TLS_CERT and S2G_TLS_KEY belong together: set both or neither")
        return self

    @property
    def vault_key_list(self) -> list[str]:
        """The vault's keys, the first of which seals; in development without any, a derived one.

        In production the vault has keys of its own: a new secret key, which ends all sessions, must
        not make every stored secret unreadable.
        """
        given = self.vault_keys.get_secret_value()
        if self.env == "dev" and given == PLACEHOLDER_SECRET:
            secret = self.secret_key.get_secret_value().encode()
            derived = HKDF(SHA256(), 32, salt=None, info=b"sync2gear vault").derive(secret)
            return [urlsafe_b64encode(derived).decode()]
        return [key.strip() for key in given.split(",") if key.strip()]

    @model_validator(mode="after")
    def _mail_that_can_leave(self) -> Self:
        if self.mail_server is not None and self.mail_sender is None:
            raise ValueError("S2G_MAIL_FROM must be an address when S2G_SMTP_URL is set")
        return self

    @property
    def mail_server(self) -> MailServer | None:
        """``smtp://user:password@host:587`` (STARTTLS) or ``smtps://...:465``; ``ValueError``.

        ``?starttls=never`` is for a server on this machine, ``?ca=FILE`` for one with a
        certificate authority of its own.
        """
        if self.smtp_url is None:
            return None
        wrong = ValueError("S2G_SMTP_URL must be smtp://user:password@host:port or smtps://...")
        try:
            url = urlsplit(self.smtp_url.get_secret_value())
            port = url.port
        except ValueError:
            raise wrong from None
        options = {name: values[-1] for name, values in parse_qs(url.query).items()}
        never = options.get("starttls", "always") == "never"
        if url.scheme not in {"smtp", "smtps"} or not url.hostname or set(options) - {
            "starttls", "ca",
        } or options.get("starttls", "always") not in {"always", "never"}:  # fmt: skip
            raise wrong
        if never and url.hostname not in {"localhost", "127.0.0.1", "::1"}:
            raise ValueError("S2G_SMTP_URL may say starttls=never only of this machine itself")
        implicit = url.scheme == "smtps"
        return MailServer(
            host=url.hostname,
            port=port or (465 if implicit else 587),
            tls="implicit" if implicit else "none" if never else "starttls",
            user=unquote(url.username or ""),
            password=unquote(url.password or ""),
            ca=options.get("ca", ""),
        )

    @property
    def mail_sender(self) -> Address | None:
        """The sender of all mail; ``None`` where ``S2G_MAIL_FROM`` is no address."""
        name, address = parseaddr(self.mail_from)
        try:
            sound = "@" in address and self.mail_from.isprintable()
            return Address(display_name=name, addr_spec=address) if sound else None
        except ValueError:
            return None

    @model_validator(mode="after")
    def _a_whole_provider(self) -> Self:
        if not self.oidc_issuer:
            return self
        secret = self.oidc_client_secret.get_secret_value()
        if not (self.oidc_client_id and secret and self.oidc_domain_list):
            raise ValueError(
                "S2G_OIDC_ISSUER needs S2G_OIDC_CLIENT_ID, S2G_OIDC_CLIENT_SECRET and"
                " S2G_OIDC_DOMAINS"
            )
        if urlsplit(self.oidc_issuer).scheme != "https" and self.env != "dev":
            raise ValueError("S2G_OIDC_ISSUER must be an https address")
        return self

    @property
    def oidc_domain_list(self) -> list[str]:
        """Domains of e-mail addresses for which the sign-in provider speaks; ``*``: all."""
        return [part for word in self.oidc_domains.split(",") if (part := word.strip().lower())]

    @property
    def blobs_url(self) -> str:
        """Where media lies: ``S2G_MEDIA_URL``, by default a folder in the data folder.

        What is on its way to a bucket lies in a folder of this machine: ``scratch``.
        """
        if self.media_url.startswith("s3://") and "scratch=" not in self.media_url:
            scratch = urlencode({"scratch": str((self.data_dir / "media-scratch").absolute())})
            return f"{self.media_url}{'&' if '?' in self.media_url else '?'}{scratch}"
        return self.media_url or (self.data_dir / "media").absolute().as_uri()

    @property
    def uploads_path(self) -> Path:
        """Where files on their way in grow: ``S2G_UPLOAD_DIR``, or a default."""
        return self.upload_dir or self.data_dir / "uploads"

    @property
    def anchors_path(self) -> Path:
        """Where heads of the audit trail are remembered: ``S2G_AUDIT_ANCHORS``, or a default."""
        return self.audit_anchors or self.data_dir / "audit-anchors.jsonl"

    @property
    def tombstones_path(self) -> Path:
        """Where deletions are remembered for after a restore: ``S2G_TOMBSTONES``, or a default."""
        return self.tombstones or self.data_dir / "tombstones.jsonl"

    @property
    def exports_path(self) -> Path:
        """Where archives of people's and clients' data lie: ``S2G_EXPORTS``, or a default."""
        return self.exports or self.data_dir / "exports"
