"""Pages of a list, as the API counts them: from 1."""

from __future__ import annotations

import math

from .store import JSON


def page_of(rows: list[JSON], page: int, size: int) -> list[JSON]:
    return rows[(page - 1) * size : page * size]


def pagination(total: int, page: int, size: int) -> JSON:
    pages = math.ceil(total / size)
    return {
        "page": page,
        "page_size": size,
        "total_count": total,
        "total_pages": pages,
        "has_more": page < pages,
        "cursors": None,
    }
