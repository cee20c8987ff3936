"""Other plays of the same replay: fingerprints, fit, migration, shadow runs."""
