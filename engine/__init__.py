"""The workflow engine: cases and their ledger, replay, deadlines, letters, actions, sweeps, reports."""
