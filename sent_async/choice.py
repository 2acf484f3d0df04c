"""Values that can have one of several classes: ``oneOf`` in the API description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, cast

import msgspec

from . import repair


class _ChoiceType(type):
    def __instancecheck__(cls, _value: object) -> bool:
        """Accept any value, because msgspec checks the result of ``read_choice`` with this."""
        return True


class Choice(metaclass=_ChoiceType):
    """The type of such a value. msgspec does not know this type, so it calls ``read_choice``."""

    classes: ClassVar[Sequence[str]]
    member: ClassVar[str | None]
    kinds: ClassVar[Mapping[str, str]]

    @classmethod
    @cache
    def structs(cls) -> Mapping[str, type[msgspec.Struct]]:
        """The classes by their names, such as ``responses.Card``. Imported late: they may contain this type."""
        modules = {name: import_module(f"sent_async.models.{name.partition('.')[0]}") for name in cls.classes}
        return {name: getattr(module, name.partition(".")[2]) for name, module in modules.items()}


def choice(name: str, classes: Sequence[str], member: str | None = None, kinds: Mapping[str, str] | None = None) -> Any:
    """Make the type of a value that can have one of these classes.

    Args:
        name: The name of the type.
        classes: The names of the classes in ``sent_async.models``, such as ``responses.Card``.
        member: The member that decides the class of a value.
        kinds: The values of that member, each with the name of its class.

    Returns:
        The type.
    """
    members = {"classes": classes, "member": member, "kinds": kinds or {}}
    return _ChoiceType(name, (Choice,), {"__module__": "sent_async.models.unions", **members})


def read_choice(kind: type, plain: Any) -> Any:
    """Read a value whose type is a ``Choice``: the ``dec_hook`` of every decoder.

    Args:
        kind: The type.
        plain: Decoded JSON.

    Returns:
        A Struct of the class that the member names; without such a member, of the class with the most common members.
        The decoded JSON if no class fits, so that an unknown class does not make a response fail.
    """
    for struct in _candidates(kind, plain):
        try:
            return repair.convert(plain, struct, hook=read_choice)
        except msgspec.ValidationError:
            continue
    return plain


def _candidates(kind: type, plain: object) -> list[type[msgspec.Struct]]:
    """The classes that a value can have. The most likely one is the first."""
    if not isinstance(plain, dict) or not issubclass(kind, Choice):
        return []
    value = cast("dict[str, Any]", plain)
    structs = kind.structs()
    if kind.member is not None and kind.member in value:
        name = kind.kinds.get(str(value[kind.member]))
        return [structs[name]] if name else []
    shared = {name: len(value.keys() & struct.__struct_encode_fields__) for name, struct in structs.items()}
    return [structs[name] for name in sorted(structs, key=lambda name: -shared[name]) if shared[name]]
