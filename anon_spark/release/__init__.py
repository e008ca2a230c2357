"""The gate, publishing and the ledger."""
