"""Every registered pipeline as the Prefect flow that ``prefect.yaml`` names: ``flows.deployed.nib_legalization``."""

from __future__ import annotations

from engine.cohort import cohort_flow
from engine.registry import current

globals().update({pipeline.slug: cohort_flow(pipeline) for pipeline in current()})
