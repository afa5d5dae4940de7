"""The installation's own certificate authority."""
