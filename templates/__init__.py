"""What people read: documents, letters and pages. No logic; see README.md in this folder."""
