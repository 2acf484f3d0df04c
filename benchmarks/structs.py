"""Hand-written Structs that decode a profile: the same field types as ours, and nothing else."""

from __future__ import annotations

from typing import Any, get_args, get_origin

import msgspec

from sent_async.models import responses
from sent_async.models.responses import ApiMeta, ErrorDetail, Profile


def plain(kind: Any) -> Any:
    """The same type with our Structs replaced by ones without options, base class, docstrings or methods."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if kind not in _made:
            fields: list[Any] = []
            for field in msgspec.structs.fields(kind):
                if field.required:
                    fields.append((field.name, plain(field.type)))
                elif field.default is msgspec.NODEFAULT:
                    made = msgspec.field(default_factory=field.default_factory)
                    fields.append((field.name, plain(field.type), made))
                else:
                    fields.append((field.name, plain(field.type), field.default))
            _made[kind] = msgspec.defstruct(kind.__name__, fields, rename=_wire_names(kind))
        return _made[kind]
    arguments = get_args(kind)
    if not arguments or hasattr(kind, "__metadata__"):
        return kind
    origin = get_origin(kind)
    converted = tuple(plain(argument) for argument in arguments)
    if origin in (list, dict, tuple):
        return origin[converted]
    union = converted[0]
    for other in converted[1:]:
        union = union | other
    return union


def _wire_names(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {field.name: field.encode_name for field in msgspec.structs.fields(kind)}


_made: dict[type, type] = {}


def _envelope(data: Any) -> type:
    members: list[Any] = [
        ("success", bool | None, None),
        ("data", data | None, None),
        ("error", plain(ErrorDetail) | None, None),
        ("meta", plain(ApiMeta) | None, None),
    ]
    return msgspec.defstruct("Envelope", members)


def decoder(*, one: bool) -> msgspec.json.Decoder[Any]:
    """For an envelope around one profile or a list of them."""
    kind = Profile if one else responses.ProfileList
    return msgspec.json.Decoder(_envelope(plain(kind)))
