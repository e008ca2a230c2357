"""Find and replace personal text in clinical notes."""
