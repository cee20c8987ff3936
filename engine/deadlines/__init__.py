"""How days are counted: calendar, clock, due dates, the legal clock of a case."""
