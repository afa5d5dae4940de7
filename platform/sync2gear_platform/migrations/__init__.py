"""The schema's history: alembic revisions, run under a lock by ``migrate``."""
