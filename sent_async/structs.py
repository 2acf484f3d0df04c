"""The bases of the generated Structs. The generated modules have members only; the methods are here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Annotated, Any, Final, Self, TypeAlias, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET

from .choice import Choice, read_choice
from .errors import SentConfigError
from .open_enum import StrEnum

Timestamp = Annotated[datetime, msgspec.Meta(tz=True)]
"""An aware datetime. A timestamp without an offset is read as UTC (see ``repair``)."""

Date: TypeAlias = date
Time: TypeAlias = time
Duration: TypeAlias = timedelta

Secret = Annotated[str, msgspec.Meta(extra={"secret": True})]
"""A string that no ``repr`` shows: card data, access tokens, message texts, phone numbers."""

SecretMap = Annotated[dict[str, Any], msgspec.Meta(extra={"secret": True})]
"""A map with any members that no ``repr`` shows."""


class Model:
    """The methods of every model of the API."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Convert the model to plain Python values.

        Returns:
            The members by their names in snake_case, with models as dicts and enum members as text. Request members
            that were not set are left out. Secrets are included.
        """
        return {name: _plain(value) for name, value in _members(self) if value is not UNSET}

    def to_json(self) -> str:
        """Convert the model to JSON.

        Returns:
            The JSON text, with the names that the API uses. Secrets are included.
        """
        return msgspec.json.encode(self).decode()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        absent = UNSET if isinstance(self, RequestModel) else None  # null means something in a request
        kind: Any = type(self)  # mypy confuses the __hash__ of instances with that of the class
        secrets = _secret_members(kind)
        return [(name, "***" if name in secrets else value) for name, value in _members(self) if value is not absent]

    def _repr_html_(self) -> str:
        """A table of the members that have a value, for notebooks."""
        from .notebook import members_table

        return members_table(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> Any:
        # Only pydantic calls this, so it is installed. The package itself never imports it.
        from .pydantic_schema import core_schema_of

        return core_schema_of(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, handler: Any) -> Any:
        from .pydantic_schema import shape_of

        return handler(shape_of(cls))


def _members(model: Any) -> list[tuple[str, Any]]:
    return [(name, getattr(model, name)) for name in model.__struct_fields__]


def _plain(value: object) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in cast("dict[str, object]", value).items()}
    return value.value if isinstance(value, StrEnum) else value


class ResponseModel(Model, msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A response of the API, or a part of one. Unknown members are ignored. Absent and null members read ``None``.

    Frozen data from JSON has no cycles, so the garbage collector need not track it: 1,000 decode in 0.83 of the time.
    """


class RequestModel(Model, msgspec.Struct, kw_only=True, omit_defaults=True):
    """The body of a request, or a part of one. A member that is not set is not sent. ``None`` is sent as null."""

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Make the model from JSON, such as the content of a file.

        Args:
            text: A JSON object with the names that the API uses.

        Returns:
            The model.

        Raises:
            SentConfigError: The text is not JSON, a member has the wrong type or is missing, or the API has no member
                of this name. The message has the path of the member, such as ``$.body.sms``.
        """
        try:
            plain = msgspec.json.decode(text)
            body = msgspec.convert(plain, cls, dec_hook=read_choice)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            problem = str(error)
        else:
            unknown = _unknown_member(plain, msgspec.to_builtins(body), "$")
            if unknown is None:
                return body
            problem = f"the API has no such member - at `{unknown}`"
        # Raised here, so that msgspec's error, which has the whole text, is not chained.
        raise SentConfigError(f"{cls.__name__}: {problem}")


def _unknown_member(given: object, read: Any, path: str) -> str | None:
    """The path of the first member of ``given`` that was ignored when it was read."""
    if isinstance(given, dict):
        for name, value in cast("dict[str, object]", given).items():
            place = f"{path}.{name}"
            unknown = _unknown_member(value, read[name], place) if name in read else place
            if unknown is not None:
                return unknown
    elif isinstance(given, list):
        for index, value in enumerate(cast("list[object]", given)):
            unknown = _unknown_member(value, read[index], f"{path}[{index}]")
            if unknown is not None:
                return unknown
    return None


_PLACEHOLDER: Final = re.compile(r"\{\{(.*?)\}\}")
_VARIABLE: Final = re.compile(r"([0-9]|[1-9][0-9]+):variable")
_VARIABLE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class TemplateText(RequestModel):
    """The base of ``TemplateDefinition``: it adds ``text``."""

    @classmethod
    def text(cls, template: str, *variables: str, samples: Mapping[str, str] | None = None) -> Self:
        """Make a definition with the same text on all channels, without header, footer or buttons::

            TemplateDefinition.text("Hello {{0:variable}}, see you on {{1:variable}}", "first_name", "day")

        Args:
            template: The text, with a placeholder ``{{0:variable}}``, ``{{1:variable}}`` ... for each variable.
            variables: The names of the variables, in the order of the numbers. ``messages.send`` takes their values by
                these names.
            samples: Sample values for the reviewers, by name. Default: the name itself is the sample.

        Returns:
            The definition.

        Raises:
            SentConfigError: The placeholders do not fit the variables, two variables have the same name, a name is not
                a letter followed by letters, digits and underscores, or a sample is for no variable.
        """
        from .models.requests import TemplateBody, TemplateBodyContent, TemplateVariable, TemplateVariableProps

        _check_variables(template, variables)
        given = samples or {}
        if unknown := sorted(given.keys() - set(variables)):
            raise SentConfigError(f"samples has {unknown[0]!r}, which is not a variable of the template")
        content = TemplateBodyContent(
            template=template,
            variables=[
                TemplateVariable(
                    id=number,
                    name=name,
                    type="variable",
                    props=TemplateVariableProps(variable_type="text", sample=given.get(name, name)),
                )
                for number, name in enumerate(variables)
            ],
        )
        make: Any = cls
        definition: Self = make(body=TemplateBody(multi_channel=content))
        return definition


def _check_variables(template: str, variables: Sequence[str]) -> None:
    used: set[int] = set()
    for placeholder in _PLACEHOLDER.findall(template):
        number = _VARIABLE.fullmatch(placeholder)
        if number is None:
            raise SentConfigError(
                f"{{{{{placeholder}}}}} is not of the form {{{{0:variable}}}}; "
                "build a TemplateBodyContent for links and media"
            )
        used.add(int(number[1]))
    if used != set(range(len(variables))):
        numbers = ", ".join(str(number) for number in sorted(used)) or "none"
        raise SentConfigError(
            f"placeholders in the template: {numbers}; variables given: {', '.join(variables) or 'none'}; "
            "number the placeholders from 0 without a gap, and give a name for each"
        )
    for name in variables:
        if _VARIABLE_NAME.fullmatch(name) is None:
            raise SentConfigError(f"{name!r} is not a letter followed by letters, digits and underscores")
    if len(set(variables)) < len(variables):
        raise SentConfigError("two variables have the same name")


@cache
def _secret_members(struct: type[Model]) -> frozenset[str]:
    hints = get_type_hints(struct, include_extras=True)
    return frozenset(name for name, hint in hints.items() if _mentions_secret(hint))


def _mentions_secret(hint: object) -> bool:
    return hint in (Secret, SecretMap) or any(_mentions_secret(part) for part in get_args(hint))


Check: TypeAlias = Callable[[str, Any], None]


def check_aware(name: str, value: datetime) -> datetime:
    """Raise ``SentConfigError`` for a datetime without a time zone, because it does not tell an exact moment."""
    if value.tzinfo is None:
        raise SentConfigError(f"{name} must be a datetime with a time zone, such as datetime.now(UTC)")
    return value


def check_list(name: str, value: object) -> None:
    """Raise ``SentConfigError`` for a string in place of a list. Each of its characters would become an item."""
    if isinstance(value, (str, bytes)):
        raise SentConfigError(f"{name} must be a list, not a {type(value).__name__}; put it in brackets")


def check_request(body: object) -> None:
    """Refuse values that a Struct accepts, but the server would misunderstand.

    Raises:
        SentConfigError: A member is a str in place of a list, or a datetime without a time zone. The message has the
            name of the member, not its value.
    """
    if isinstance(body, RequestModel):
        for member, check in _checks(type(body)):
            value = getattr(body, member)
            if value is not UNSET and value is not None:
                check(member, value)


def _check_struct(_name: str, value: object) -> None:
    check_request(value)


def _check_datetime(name: str, value: object) -> None:
    if isinstance(value, datetime):
        check_aware(name, value)


_hints = cache(get_type_hints)  # this is most of the cost, and a class is looked at for each place where it is used


@cache
def _checks(struct: type[RequestModel]) -> tuple[tuple[str, Check], ...]:
    """The members of a class that need a check. Computed once for each class."""
    return _checks_inside(struct, (struct,))


def _checks_inside(struct: type[RequestModel], above: tuple[type, ...]) -> tuple[tuple[str, Check], ...]:
    checks = [(name, _check_for(hint, above)) for name, hint in _hints(struct).items()]
    return tuple((name, check) for name, check in checks if check is not None)


def _check_for(hint: object, above: tuple[type, ...]) -> Check | None:
    """The check for a member of this type, if it needs one. ``above`` ends the search in a recursive schema."""
    parts = get_args(hint)
    if get_origin(hint) is Sequence:
        inner = _check_for(parts[0], above)

        def check_items(name: str, value: Any) -> None:
            check_list(name, value)
            if inner is not None and isinstance(value, Sequence):
                for item in cast("Sequence[object]", value):
                    inner(name, item)

        return check_items
    if get_origin(hint) is Mapping:
        return None
    if isinstance(hint, type) and issubclass(hint, RequestModel):
        return _check_struct if hint in above or _checks_inside(hint, (*above, hint)) else None
    if isinstance(hint, type) and issubclass(hint, Choice):
        return _check_struct
    if hint is datetime:
        return _check_datetime
    return next((check for part in parts if (check := _check_for(part, above)) is not None), None)
