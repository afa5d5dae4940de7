"""Emergencies: prepared messages that go above all else until somebody gives the all-clear."""
