"""The validation of requests: bodies against the request models, then the rules that types cannot express.

Refusals have the code ``VALIDATION_001``, as on every published page, and ``details`` by the API's member names.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec
from msgspec import UNSET
from msgspec.structs import FieldInfo
from yarl import URL

from ..choice import read_choice
from ..models import ErrorCode
from ..open_enum import StrEnum
from ..operation import Operation
from ..structs import RequestModel
from .phones import E164
from .responses import Refusal

_SHORT_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{3,11}")
_KEY = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"Object missing required field `([^`]+)`")


class Problems:
    """Collects all problems of a request, so that one response reports all of them."""

    def __init__(self) -> None:
        self._details: dict[str, list[str]] = {}

    def add(self, member: str, problem: str) -> None:
        self._details.setdefault(member, []).append(problem)

    def expect(self, holds: bool, member: str, problem: str) -> None:
        if not holds:
            self.add(member, problem)

    def expect_text(self, value: object, member: str, *, most: int | None = None) -> None:
        """If the value is a string, it must not be blank or too long."""
        if not isinstance(value, str):
            return
        self.expect(bool(value.strip()), member, "Must not be empty")
        self.expect(most is None or len(value) <= most, member, f"Must be at most {most} characters")

    def expect_one_of(self, value: object, kind: type[StrEnum], member: str) -> None:
        """If the value is a string, it must be a known value in the right case."""
        if isinstance(value, str) and not kind(value).is_known:
            self.add(member, one_of(kind, member))

    def expect_phone(self, value: object, member: str) -> None:
        if isinstance(value, str):
            self.expect(E164.fullmatch(value) is not None, member, "Must be a phone number in E.164 form")

    def expect_short_name(self, value: object, member: str) -> None:
        if isinstance(value, str):
            rule = "Must be 3 to 11 letters, digits and spaces with at least one letter"
            self.expect(_SHORT_NAME.fullmatch(value) is not None, member, rule)

    def expect_url(self, value: str, member: str) -> None:
        self.expect(is_url(value), member, "Must be an absolute http or https URL")

    def refuse_if_any(self, message: str | None = None, *, code: str = ErrorCode.VALIDATION_FAILED) -> None:
        if self._details:
            raise Refusal(code, message, details=self._details)


def invalid(member: str, problem: str) -> Refusal:
    """A refusal with one problem, which is also its message."""
    return Refusal(ErrorCode.VALIDATION_FAILED, problem, details={member: [problem]})


def not_found(message: str) -> Refusal:
    """A refusal without a documented code. It uses the code for a missing customer."""
    return Refusal(ErrorCode.CUSTOMER_NOT_FOUND, message)


def is_url(value: str) -> bool:
    """Whether this is an absolute http or https URL."""
    try:
        url = URL(value)
        return url.scheme in ("http", "https") and bool(url.host)
    except ValueError:
        return False


def one_of(kind: type[StrEnum], member: str) -> str:
    """The API's message for an unknown value. It begins with the member's name."""
    name = member.rpartition(".")[2]
    return f"{name[0].upper()}{name[1:]} must be one of: {', '.join(known.value for known in kind)}"


def decode_body(operation: Operation[Any], content: bytes) -> RequestModel | None:
    """Decode the body as the request Struct of the operation; ``None`` for an operation without a body.

    Raises ``Refusal`` with the missing members, or with the path of the first member that does not fit.
    """
    if operation.body is None:
        return None
    if operation.method == "DELETE" and not content.strip():
        content = b"{}"
    try:
        plain = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise invalid("body", "The request body must be a JSON object") from None
    if isinstance(plain, dict):
        _check_members(operation.name, msgspec.structs.fields(operation.body), cast("dict[str, object]", plain))
    try:
        return msgspec.convert(plain, operation.body, dec_hook=read_choice)
    except msgspec.ValidationError as error:
        member, problem = _problem_of(str(error))
        raise Refusal(ErrorCode.VALIDATION_FAILED, details={member: [problem]}) from None


_REQUIRED = "This member is required"
_STRICT = frozenset(("updateSenderProfile", "updateSmsMarket", "createWhatsAppChannel", "createRcsAgent"))
"""Operations that refuse unknown members. Others ignore them."""


def _check_members(name: str, fields: Iterable[FieldInfo], plain: Mapping[str, object]) -> None:
    """Refuse missing members, and unknown members if the operation is strict. The refusal names all of them."""
    known = {field.encode_name: field.required for field in fields}
    problems = Problems()
    missing = [member for member, required in known.items() if required and member not in plain]
    message = "Template definition is required" if "definition" in missing else None
    for member in missing:
        problems.add(member, message or _REQUIRED)
    for member in plain.keys() - known.keys() if name in _STRICT else ():
        problems.add(member, "This member is not recognised here")
    problems.refuse_if_any(message)


def _problem_of(error: str) -> tuple[str, str]:
    """The path of the invalid member, and its problem."""
    place = _PLACE.search(error)
    member, what = (place[1], error[: place.start()]) if place else ("", error)
    missing = _MISSING.fullmatch(what)
    if missing is None:
        return member or "body", what
    return f"{member}.{missing[1]}" if member else missing[1], _REQUIRED


def check_idempotency_key(key: str) -> str:
    """Raise ``Refusal`` (``VALIDATION_007``) for a key that does not have the documented form."""
    if not _KEY.fullmatch(key):
        code = ErrorCode.INVALID_IDEMPOTENCY_KEY
        raise Refusal(code, details={"Idempotency-Key": ["Must match ^[a-zA-Z0-9_-]{1,255}$"]})
    return key


def check_uuids(message: str, *values: str) -> None:
    """Raise ``Refusal`` (``VALIDATION_001``, without details, as documented) if an id in the path is not a UUID."""
    for value in values:
        try:
            uuid.UUID(value)
        except ValueError:
            raise Refusal(ErrorCode.VALIDATION_FAILED, message) from None


def whole_number(
    query: Mapping[str, str], name: str, default: int, problems: Problems, *, most: int | None = None
) -> int:
    """Read a query parameter that is a whole number from 1."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and 1 <= int(text) <= (most or 10**9)):
        problems.add(name, f"{name} must be between 1 and {most}" if most else f"{name} must be 1 or greater")
        return default
    return int(text)


def given_members(struct: msgspec.Struct) -> dict[str, Any]:
    """The members by their Python names, without absent and null ones: for the API, null means "not provided"."""
    values = {name: getattr(struct, name) for name in struct.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET and value is not None}


def as_object(value: object) -> dict[str, Any]:
    """The value if it is a JSON object, otherwise an empty object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def wire_members(struct: msgspec.Struct) -> dict[str, Any]:
    """The members as plain data by the API's names, with null where it clears a member. Without ``sandbox``."""
    return {name: value for name, value in msgspec.to_builtins(struct).items() if name != "sandbox"}


def all_members(struct: msgspec.Struct) -> dict[str, Any]:
    """All members by their Python names, which are their names in responses. Absent members are null."""
    return {**dict.fromkeys(struct.__struct_fields__), **given_members(struct)}
