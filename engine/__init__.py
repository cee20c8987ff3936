"""The workflow engine: cases, ledger, replay, deadlines, letters, actions, sweeps, reports."""
