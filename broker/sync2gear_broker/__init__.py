"""The wire of sync2gear: what travels over MQTT and what it means. No I/O."""
