"""Proof of play: what was planned beside what was heard, for people and for those who collect."""
