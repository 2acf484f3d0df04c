"""Pages of a list, as the API counts them: from 1."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeVar

from .store import JSON

T = TypeVar("T")


def paged(rows: Iterable[T], page: int, size: int) -> tuple[list[T], JSON]:
    """The rows of one page, and the ``pagination`` that goes with it. The other rows are counted and not kept."""
    first = (page - 1) * size
    chosen: list[T] = []
    total = 0
    for row in rows:
        if first <= total < first + size:
            chosen.append(row)
        total += 1
    pages = math.ceil(total / size)
    return chosen, {
        "page": page,
        "page_size": size,
        "total_count": total,
        "total_pages": pages,
        "has_more": page < pages,
        "cursors": None,
    }
