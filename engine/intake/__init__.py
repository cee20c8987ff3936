"""Intake: the lists of businesses that districts send, read as they really come. See `importing` for the process."""
