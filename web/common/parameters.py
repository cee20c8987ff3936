"""Parameters of a request: the parts of its path and its query."""

from __future__ import annotations

from fastapi import Request

from engine.definition.incoming import must_be_clean


def clean_parameters(request: Request) -> None:
    """Refuse a request whose path or query holds letters that can't be kept.

    Raises:
        BadText: one does; the message names it.
    """
    must_be_clean(**request.path_params)
    must_be_clean(**dict(request.query_params))
