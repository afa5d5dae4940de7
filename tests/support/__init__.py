"""What several tests need: real services and the values to drive them."""
