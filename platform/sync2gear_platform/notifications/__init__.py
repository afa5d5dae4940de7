"""What the installation tells people by mail."""
