"""From a source's files to typed bronze tables."""
