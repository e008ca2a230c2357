"""All that is specific to MIMIC-III."""
