"""The criteria, one a file, and their measurement."""
