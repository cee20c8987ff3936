"""The work that falls due as time passes: escalation, recalculated dates, renewals."""
