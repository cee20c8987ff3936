"""Attacks: what somebody with bad intent tries, from outside and from within, and what holds."""
