"""The sync2gear speaker: makes its zone's timeline audible."""
