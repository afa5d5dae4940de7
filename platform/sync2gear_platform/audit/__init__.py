"""The audit trail: every change leaves a row that nobody can edit."""
