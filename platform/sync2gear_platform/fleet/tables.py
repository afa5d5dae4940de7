"""Rows of the broker's accounts that are no device's, and of what signs emergencies."""

from datetime import datetime

from sqlmodel import Field

from sync2gear_platform.kit.db import Owned, by_client, moment, owned, sealed


class MqttAccount(Owned, table=True):
    """An integration account: reads the state of its client's zones on the broker, says nothing.

    ``secret_hash`` is the broker's own form (Mosquitto's ``$7$``). Revoking deletes the row.
    """

    __tablename__ = "mqtt_accounts"
    __table_args__ = owned(by_client("mqtt_accounts", "name"))

    name: str = Field(max_length=255)
    secret_hash: str = Field(max_length=255)
    expires_at: datetime | None = moment(default=None, nullable=True)


class EmergencyKey(Owned, table=True):
    """An Ed25519 key pair under which a client's emergencies hold; the two newest are current.

    ``public_key`` are the 32 bytes in base64, ``private_key`` likewise, sealed.
    """

    __tablename__ = "emergency_keys"
    __table_args__ = owned(by_client("emergency_keys", "created_at", "id"))

    public_key: str = Field(max_length=44)
    private_key: str = sealed()
