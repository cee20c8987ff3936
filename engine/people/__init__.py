"""Persons, accounts and their permissions, and the intake of registers."""
