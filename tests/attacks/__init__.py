"""Attacks: what somebody hostile sends, and what a machine does at the worst moment."""
