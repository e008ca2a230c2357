"""What happens to each column and row, and whether a source fits it."""
