"""Facts in, PDF out, signed and verified; imports nothing of ours."""
