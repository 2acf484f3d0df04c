"""The pydantic schema of a model. It is imported only when pydantic asks for it, so pydantic is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UnsetType
from pydantic_core import core_schema as core

from .choice import Choice, read_choice
from .open_enum import StrEnum
from .structs import Model

_SCALARS: Final[Mapping[object, core.CoreSchema]] = {
    str: core.str_schema(),
    int: core.int_schema(),
    float: core.float_schema(),
    bool: core.bool_schema(),
    datetime: core.datetime_schema(),
    date: core.date_schema(),
    time: core.time_schema(),
    timedelta: core.timedelta_schema(),
    Any: core.any_schema(),
}


def core_schema_of(struct: type[Model]) -> core.CoreSchema:
    """The schema that validates instances and JSON, and writes JSON like ``to_json``."""

    def read(value: object) -> Model:
        if isinstance(value, struct):
            return value
        try:
            return msgspec.convert(value, struct, dec_hook=read_choice)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from None  # pydantic reports this as an error of its caller

    return core.no_info_plain_validator_function(
        read,
        ref=_ref(struct),
        serialization=core.plain_serializer_function_ser_schema(msgspec.to_builtins, when_used="json"),
    )


def shape_of(struct: type[Model], above: frozenset[type[Model]] = frozenset()) -> core.CoreSchema:
    """The members, for the JSON schema. Only nested models get a name, because pydantic names the outer class."""
    inside = above | {struct}
    hints = get_type_hints(struct)
    fields = {
        field.encode_name: core.typed_dict_field(_shape(hints[field.name], inside), required=field.required)
        for field in msgspec.structs.fields(cast("type[msgspec.Struct]", struct))
    }
    return core.typed_dict_schema(fields, cls=struct, ref=_ref(struct) if above else None)


def _shape(hint: object, above: frozenset[type[Model]]) -> core.CoreSchema:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (list, Sequence):
        return core.list_schema(_shape(parts[0], above))
    if origin in (dict, Mapping):
        return core.dict_schema(values_schema=_shape(parts[1], above))
    if parts:  # a union
        types = [part for part in parts if part not in (type(None), UnsetType)]
        value = core.union_schema([_shape(part, above) for part in types])
        return core.nullable_schema(value) if type(None) in parts else value
    if isinstance(hint, type) and issubclass(hint, Model):
        return core.definition_reference_schema(_ref(hint)) if hint in above else shape_of(hint, above)
    if isinstance(hint, type) and issubclass(hint, Choice):
        return core.union_schema([*(_shape(struct, above) for struct in hint.structs().values()), core.dict_schema()])
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return core.union_schema([core.literal_schema([str(member) for member in hint]), core.str_schema()])
    return _SCALARS[hint]


def _ref(struct: type[Any]) -> str:
    """A name in pydantic's own form. pydantic shortens it to the name of the class if that is unique."""
    return f"{struct.__module__}.{struct.__qualname__}:{id(struct)}"
