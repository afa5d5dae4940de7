"""Schedules: who asks for which sound when, and which of them is heard."""
