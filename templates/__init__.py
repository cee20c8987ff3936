"""Templates of documents, letters and pages, without logic; README.md in this folder describes them."""
