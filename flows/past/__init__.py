"""Superseded versions, each unchanged, until no open case needs it."""
