"""Pages of a list. As in the API, the first page has the number 1."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeVar

from .store import JSON

T = TypeVar("T")


def paged(rows: Iterable[T], page: int, size: int) -> tuple[list[T], JSON]:
    """The rows of one page, and its ``pagination``. The other rows are only counted."""
    first = (page - 1) * size
    selected: list[T] = []
    total = 0
    for row in rows:
        if first <= total < first + size:
            selected.append(row)
        total += 1
    pages = math.ceil(total / size)
    return selected, {
        "page": page,
        "page_size": size,
        "total_count": total,
        "total_pages": pages,
        "has_more": page < pages,
        "cursors": None,
    }
