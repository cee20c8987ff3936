"""The Prefect flow of each registered pipeline, as ``prefect.yaml`` names it.

``flows.deployed.nib_legalization`` is the flow of ``nib-legalization``.
"""

from __future__ import annotations

from typing import Any

from engine.definition.registry import current, pipeline_named
from scheduling.cohort_flow import cohort_flow

globals().update({pipeline.slug: cohort_flow(pipeline, __name__) for pipeline in current()})


def flow_of(name: str) -> Any:
    """Return the flow of a pipeline (``nib-legalization`` or ``nib_legalization``).

    Raises:
        Refused: No pipeline has this name.
    """
    return globals()[pipeline_named(name).slug]
