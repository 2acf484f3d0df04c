"""Example data for any type of the API description, for operations that the fake does not simulate."""

from __future__ import annotations

import uuid
from collections.abc import Hashable
from functools import cache
from typing import Any, Final

from msgspec import inspect

from ..choice import Choice
from ..models import Pagination

_STAMP: Final = "2026-01-01T00:00:00Z"
_ONLY_PAGE: Final = {"page": 1, "page_size": 100, "total_count": 1, "total_pages": 1, "has_more": False}


@cache
def sample(kind: Hashable) -> Any:
    """Make plain data that ``kind`` can be decoded from, with every member and one item in each list.

    The result is cached, so do not change it.

    Args:
        kind: A type that msgspec can decode.
    """
    return _sample(inspect.type_info(kind), "", frozenset())


def _sample(info: inspect.Type, name: str, above: frozenset[type]) -> Any:
    match info:
        case inspect.StructType():
            if info.cls is Pagination:
                return _ONLY_PAGE
            fields = [field for field in info.fields if field.required or not _leads_to(field.type, above | {info.cls})]
            return {field.encode_name: _sample(field.type, field.name, above | {info.cls}) for field in fields}
        case inspect.UnionType():
            return _sample(next(part for part in info.types if not isinstance(part, inspect.NoneType)), name, above)
        case inspect.ListType():
            return [_sample(info.item_type, name.removesuffix("s"), above)]
        case inspect.DictType():
            return {}
        case inspect.EnumType():
            return next(iter(info.cls)).value
        case inspect.BoolType():
            return False
        case inspect.IntType() | inspect.FloatType():
            return 1
        case inspect.DateTimeType():
            return _STAMP
        case inspect.Metadata():
            return _sample(info.type, name, above)
        case inspect.CustomType():
            choice: type[Choice] = info.cls
            first, struct = next(iter(choice.structs().items()))
            kinds = [value for value, name in choice.kinds.items() if name == first]
            return _sample(inspect.type_info(struct), name, above) | ({choice.member: kinds[0]} if kinds else {})
        case _:
            return _text(name)


def _leads_to(info: inspect.Type, above: frozenset[type]) -> bool:
    """Whether a type contains one of the types around it."""
    if isinstance(info, inspect.UnionType):
        return any(_leads_to(part, above) for part in info.types)
    if isinstance(info, inspect.ListType):
        return _leads_to(info.item_type, above)
    return isinstance(info, inspect.StructType) and info.cls in above


def _text(name: str) -> str:
    if name == "id" or name.endswith("_id"):
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
    return "+12025550123" if "number" in name else f"{name or 'text'}-1"
