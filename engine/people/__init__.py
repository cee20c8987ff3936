"""Who exists and what they may do, and how they come in."""
