"""Templates of documents, letters and pages; README.md in this folder describes them."""
