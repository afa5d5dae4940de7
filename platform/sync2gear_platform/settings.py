"""The one Settings, read once from ``S2G_`` environment variables and passed down."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PLACEHOLDER_SECRET = "change-me"  # noqa: S105 - the value that is refused outside development


class Settings(BaseSettings):
    """Everything that differs between two installations. Secrets never print."""

    model_config = SettingsConfigDict(env_prefix="S2G_", env_ignore_empty=True, extra="ignore")

    env: Literal["dev", "prod"] = "prod"
    data_dir: Path = Path("/var/lib/sync2gear")
    secret_key: SecretStr = SecretStr(PLACEHOLDER_SECRET)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    database_url: SecretStr = SecretStr("postgresql://sync2gear_app@localhost/sync2gear")
    database_admin_url: SecretStr | None = None
    database_pool: int = Field(default=10, ge=1, le=100)

    mqtt_url: SecretStr = SecretStr("mqtt://localhost:1884")
    mqtt_device_url: str = "mqtt://localhost:1883"
    mqtt_password_file: Path | None = None
    mqtt_pid_file: Path | None = None

    media_url: str = ""
    import_dir: Path | None = None
    web_dir: Path | None = None
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65535)
    public_url: str = "http://127.0.0.1:8080"

    argon2_memory_kib: int = Field(default=65536, ge=1024)

    @model_validator(mode="after")
    def _no_placeholder_secret(self) -> Self:
        key = self.secret_key.get_secret_value()
        if self.env != "dev" and (key == PLACEHOLDER_SECRET or len(key) < 32):
            raise ValueError("S2G_SECRET_KEY must be set to at least 32 random characters")
        return self

    @property
    def blobs_url(self) -> str:
        """Where media lies: ``S2G_MEDIA_URL``, by default a folder in the data folder."""
        return self.media_url or (self.data_dir / "media").absolute().as_uri()
