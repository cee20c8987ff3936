"""The audit: every tampering that the database itself shows."""
