"""HTML pages for people, made of the templates in templates/pages."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import templates

PAGES = Path(templates.__file__).parent / "pages"


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined)


def page(template: str, code: int = 200, /, **facts: Any) -> HTMLResponse:
    """Return a page made of a template and its facts.

    Raises:
        UndefinedError: the template names a fact that is missing.
    """
    return HTMLResponse(_templates().get_template(template).render(facts), code)


@lru_cache(maxsize=1)
def stylesheet() -> str:
    """Return the stylesheet of the pages."""
    return (PAGES / "page.css").read_text()
