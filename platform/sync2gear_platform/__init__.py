"""The sync2gear server."""
