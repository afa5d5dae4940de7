"""Clients, users and what an actor may reach."""
