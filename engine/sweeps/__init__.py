"""What time does: escalation, recalculated dates, renewals."""
