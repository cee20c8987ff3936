"""Correction of names and numbers, and reissue of the documents that bear them."""
