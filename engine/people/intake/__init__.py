"""Intake of the lists of businesses that districts send; `importing` has the process."""
