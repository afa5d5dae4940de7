"""The command line of sync2gear, and the supervisor of one machine."""
