"""Flows that Prefect runs by the clock or by hand, and that are no pipeline: each opens a run and calls the engine."""
