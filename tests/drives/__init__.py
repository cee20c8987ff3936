"""Random drives: legal answers, silences, withdrawals and crashes, drawn at random, through every registered pipeline."""
