"""Attacks: each line of what an attacker did, done again."""
