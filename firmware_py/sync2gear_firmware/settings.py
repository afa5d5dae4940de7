"""What the speaker is told at its start: the environment and its credential file."""

import ssl
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sync2gear_broker import topics
from sync2gear_broker.units import Uuid
from sync2gear_firmware.allowance import window


class Settings(BaseSettings):
    """The speaker's environment, ``S2G_SPEAKER_*``; unknown variables are ignored.

    ``card`` is the name of a PortAudio device, or of a sound server's sink where the sink is
    ``pulse`` ("" is the system's default); ``file`` is where the
    sink ``file`` writes what it played. ``fetch_rate`` is in bytes a second (0: any);
    ``fetch_window`` is like ``22:00-06:00`` of the machine's time zone.
    """

    model_config = SettingsConfigDict(env_prefix="S2G_SPEAKER_", extra="ignore")

    credential: Path
    data_dir: Path
    sink: Literal["card", "pulse", "file", "null"] = "card"
    card: str = ""
    file: Path | None = None
    fetch_rate: int = Field(default=0, ge=0)
    fetch_window: str = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("fetch_window")
    @classmethod
    def _hours(cls, text: str) -> str:
        window(text)
        return text

    @model_validator(mode="after")
    def _has_a_file(self) -> Self:
        if self.sink == "file" and (self.file is None or not self.file.name or self.file.is_dir()):
            raise ValueError("S2G_SPEAKER_FILE must name the file that the sink `file` writes")
        return self


class Credential(BaseModel):
    """Who this device is and where its platform is; written by registration, mode 0600.

    ``ca`` are the roots that it trusts (PEM; empty: the system's). ``certificate`` and ``key`` are
    its own, for a broker that asks for one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    client: Uuid
    device: Uuid
    secret: str
    mqtt_url: str
    http_url: str
    ca: str = ""
    certificate: str = ""
    key: str = ""

    @field_validator("mqtt_url")
    @classmethod
    def _mqtt(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("must be mqtt://host:port or mqtts://host:port")
        return url

    @field_validator("http_url")
    @classmethod
    def _http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be http://host:port or https://host:port")
        return url.rstrip("/")

    @field_validator("ca")
    @classmethod
    def _roots(cls, pem: str) -> str:
        if pem:
            try:
                ssl.create_default_context(cadata=pem)
            except ssl.SSLError as error:
                raise ValueError(f"must be certificates in PEM: {error}") from error
        return pem

    @property
    def username(self) -> str:
        """The MQTT username, client id and HTTP user of this device."""
        return topics.username(self.client, self.device)


def read_credential(path: Path) -> Credential:
    """The credential in ``path``; raises ``OSError`` or ``pydantic.ValidationError``."""
    return Credential.model_validate_json(path.read_bytes())
