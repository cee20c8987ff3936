"""Actions of a person on a case: one verb in each module."""
