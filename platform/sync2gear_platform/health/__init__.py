"""Whether this installation works: one answer for people and for probes."""
