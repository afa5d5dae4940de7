"""The speakers: registration, broker accounts, presence, configuration."""
