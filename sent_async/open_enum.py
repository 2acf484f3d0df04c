"""Open string enums: a value that is not in the API description can be decoded too."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, Final

_CACHE_SIZE: Final = 256


class StrEnum(enum.StrEnum):
    """The base of every generated enum. Known values are members. Unknown values are equal to their string.

    For an unknown value, ``status == "paused"`` is true and ``is_known`` is false. Its hash, pickle and JSON are those
    of the string. Compare with ``==``, not ``is``, and end a ``match`` with ``case _``.
    """

    if TYPE_CHECKING:
        # Comparing with a plain string is intended, and mypy's strict equality must allow it.
        def __eq__(self, other: object) -> bool: ...
        def __hash__(self) -> int: ...

    def __repr__(self) -> str:
        """``MessageStatus.SENT``, or ``MessageStatus('PAUSED')`` for an unknown value."""
        kind = type(self)
        return f"{kind.__name__}.{self._name_}" if self.is_known else f"{kind.__name__}({self._value_!r})"

    @property
    def is_known(self) -> bool:
        """Whether the value was in the API description this package was generated from."""
        return self._value_ in type(self)._value2member_map_

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if not isinstance(value, str):
            return None
        return _unknown(cls, value)

    def __reduce_ex__(self, protocol: object) -> tuple[type[StrEnum], tuple[str]]:
        return type(self), (self._value_,)


# A page repeats the same unknown value many times. The bound keeps a server from filling the memory.
_unknown_members: dict[tuple[type[StrEnum], str], StrEnum] = {}


def _unknown(cls: type[StrEnum], value: str) -> StrEnum:
    member = _unknown_members.get((cls, value))
    if member is None:
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        if len(_unknown_members) < _CACHE_SIZE:
            _unknown_members[cls, value] = member
    return member
