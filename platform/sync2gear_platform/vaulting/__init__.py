"""Rotation of the vault's keys, as an operator sees it."""
