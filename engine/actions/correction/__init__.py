"""Corrects names and numbers, and reissues the documents that bear them."""
