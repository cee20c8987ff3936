"""The count of days: calendar, clock, due dates, the legal clock of a case."""
