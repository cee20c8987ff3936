"""Flows that Prefect runs by the clock or by hand: each opens a run and calls the engine.

None of them is a pipeline.
"""
