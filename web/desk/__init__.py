"""The desk: the tasks of a signed-in account."""
