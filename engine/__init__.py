"""How a case survives: replay, the ledger, the claim, clocks, documents, letters. Nothing here names a pipeline."""
