"""The search for the levels of least loss."""
