"""Finding personal data: in columns, and in free text."""
