"""The file of one case: its ledger, waits, documents' succession and snapshot of facts."""
