"""Strangers' protocols."""
