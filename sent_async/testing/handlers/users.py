"""The users of the dashboard."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ...models import ErrorCode, UserInvite, UserRole, UserRoleUpdate
from ..context import Context
from ..responses import Refusal, Reply
from ..seed import USER_ID
from ..store import JSON, Record, new_user
from ..validation import Problems, invalid

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")


def list_users(context: Context) -> Reply:
    return Reply(200, {"users": [record.wire for record in _users(context)], "pagination": None})


def invite_user(context: Context) -> Reply:
    context.caller.must_be_admin()
    body: UserInvite = context.body
    problems = Problems()
    problems.expect(_EMAIL.fullmatch(body.email) is not None, "email", "Must be an e-mail address")
    problems.expect_text(body.name, "name")
    problems.expect_one_of(body.role, UserRole, "role")
    problems.refuse_if_any()
    if any(record.wire["email"].casefold() == body.email.casefold() for record in _users(context)):
        raise Refusal(ErrorCode.ALREADY_EXISTS, "A user with this e-mail address exists or is invited already")
    owner = context.caller.acting
    invited = {"status": "invited", "invited_at": context.now, "last_login_at": None}
    wire: JSON = {**new_user(owner, context.now), "email": body.email, "name": body.name, "role": body.role, **invited}
    context.store.users[wire["id"]] = Record(owner, wire)
    return Reply(201, wire)


def retrieve_user(context: Context) -> Reply:
    return Reply(200, _user(context).wire)


def update_user_role(context: Context) -> Reply:
    context.caller.must_be_admin()
    before = _user(context)
    body: UserRoleUpdate = context.body
    problems = Problems()
    problems.expect_one_of(body.role, UserRole, "role")
    problems.refuse_if_any()
    _must_not_be_oneself(context, before.wire, "role", "You cannot change your own role")
    if body.role != UserRole.ADMIN:
        _must_leave_an_admin(context, before.wire, "role")
    wire = {**before.wire, "role": body.role, "updated_at": context.now}
    context.store.users[wire["id"]] = msgspec.structs.replace(before, wire=wire)
    return Reply(200, wire)


def remove_user(context: Context) -> Reply:
    context.caller.must_be_admin()
    user = _user(context).wire
    _must_not_be_oneself(context, user, "userId", "You cannot remove yourself")
    _must_leave_an_admin(context, user, "userId")
    del context.store.users[user["id"]]
    return Reply(204)


def _users(context: Context) -> list[Record]:
    return [record for record in context.store.users.values() if record.owner == context.caller.acting]


def _user(context: Context) -> Record:
    record = context.store.users.get(context.parameters["userId"])
    if record is None or record.owner != context.caller.acting:
        raise Refusal(ErrorCode.USER_NOT_FOUND)
    return record


def _must_not_be_oneself(context: Context, user: JSON, member: str, problem: str) -> None:
    """A user must not change itself. Every organization key belongs to the first user of the fake."""
    if user["id"] == USER_ID and context.caller.key.profile_id is None:
        raise invalid(member, problem)


def _must_leave_an_admin(context: Context, user: JSON, member: str) -> None:
    """One admin must remain. An invited user does not count. The code of this error is not documented."""
    admins = [one.wire["id"] for one in _users(context) if _is_admin(one.wire)]
    if admins == [user["id"]]:
        raise invalid(member, "This is the last admin")


def _is_admin(user: JSON) -> bool:
    return bool(user["role"] == UserRole.ADMIN and user["status"] == "active")
