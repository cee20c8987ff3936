"""The scripts of each pipeline, in a module of its slug: ``SCRIPTS``. The registry says which there must be."""

from __future__ import annotations

import importlib
from importlib.util import find_spec

from engine.definition.registry import Pipeline, current
from tests.replay.script import Script


def scripts_of(pipeline: Pipeline) -> list[Script]:
    """Return the scripts of a pipeline; none where nobody has written its module."""
    name = f"{__name__}.{pipeline.slug}"
    return list(importlib.import_module(name).SCRIPTS) if find_spec(name) else []


def all_scripts() -> list[Script]:
    """Return the scripts of every registered pipeline."""
    return [script for pipeline in current() for script in scripts_of(pipeline)]


def script_named(pipeline: str, name: str) -> Script:
    """Return one script. Raises KeyError."""
    return {(script.pipeline, script.name): script for script in all_scripts()}[pipeline, name]


def flagship(pipeline: Pipeline) -> Script:
    """Return the script whose process is killed for good: by the machine's way where there is one, else the first."""
    scripts = scripts_of(pipeline)
    return next((script for script in scripts if script.oss == "machine"), scripts[0])
