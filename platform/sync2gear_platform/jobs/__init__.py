"""Durable jobs and the one leader among workers."""
