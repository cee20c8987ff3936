"""The processes: each file or folder is one process of the real world, read top to bottom."""
