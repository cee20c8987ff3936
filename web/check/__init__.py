"""The public check of a document's or case's number."""
