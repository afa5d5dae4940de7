"""Rows of the broker's accounts that are no device's."""

from datetime import datetime

from sqlmodel import Field

from sync2gear_platform.kit.db import Owned, by_client, moment, owned


class MqttAccount(Owned, table=True):
    """An integration account: reads the state of its client's zones on the broker, says nothing.

    ``secret_hash`` is the broker's own form (Mosquitto's ``$7$``). Revoking deletes the row.
    """

    __tablename__ = "mqtt_accounts"
    __table_args__ = owned(by_client("mqtt_accounts", "name"))

    name: str = Field(max_length=255)
    secret_hash: str = Field(max_length=255)
    expires_at: datetime | None = moment(default=None, nullable=True)
