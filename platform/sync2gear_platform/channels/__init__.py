"""Channels: what music and which announcements, in which order."""
