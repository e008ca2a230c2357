"""Information loss and data utility."""
