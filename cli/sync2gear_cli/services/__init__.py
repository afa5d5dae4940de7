"""The private services of one machine: child processes that we start, watch and stop."""
