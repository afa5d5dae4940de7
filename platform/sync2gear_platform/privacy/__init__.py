"""Privacy: taking along what is one's own, being deleted, and staying deleted."""
