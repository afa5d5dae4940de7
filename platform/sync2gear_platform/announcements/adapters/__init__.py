"""Voices: one module for each engine."""
