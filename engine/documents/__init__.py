"""Documents and letters from finished facts: rendered, signed, verified. Pure: no database, no settings, no clock."""
