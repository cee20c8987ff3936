"""One case: its state, ledger, waits, facts, recalled keys and replaced documents."""
