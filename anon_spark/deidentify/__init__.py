"""Identifiers, dates, masks, suppression and generalization: one pass from bronze to candidate."""
