"""Attacks: each test tries what must not work, on the real thing."""
