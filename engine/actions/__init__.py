"""What a person does to a case: one verb a module."""
