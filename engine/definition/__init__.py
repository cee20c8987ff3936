"""The parts of a process: case, forms, declarations, registry."""
