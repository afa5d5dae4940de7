"""What the installation's own people see and do over all clients."""
