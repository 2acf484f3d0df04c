"""The list, create, retrieve, update and delete of templates, and their review."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Final

from ...models import ErrorCode, TemplateCategory, TemplateCreate, TemplateDefinition, TemplateStatus, TemplateUpdate
from ..context import Context
from ..events import Emit
from ..paging import paged
from ..responses import Refusal, Reply
from ..seed import ORGANIZATION_ID
from ..store import JSON, Record, Store, new_template
from ..validation import Problems, check_uuids, given_members, invalid, one_of, whole_number
from .definitions import channels_of, check_definition, derived_name, detected_category, variables_of

_EDITABLE: Final = ("DRAFT", "REJECTED", "APPROVED")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
_DEFAULT_PAGE_SIZE: Final = 20


def list_templates(context: Context) -> Reply:
    query, problems = context.query, Problems()
    page = whole_number(query, "page", 1, problems)
    size = whole_number(query, "page_size", _DEFAULT_PAGE_SIZE, problems, most=100)
    problems.expect_one_of(query.get("status"), TemplateStatus, "status")
    problems.expect_one_of(query.get("category"), TemplateCategory, "category")
    problems.refuse_if_any()
    owners = readable_owners(context)
    exact = {name: query[name] for name in ("status", "category") if name in query}.items()
    search = query.get("search", "").casefold()
    rows = (record.wire for record in context.store.templates.values() if record.owner in owners)
    rows = (row for row in rows if exact <= row.items() and search in row["name"].casefold())
    templates, pagination = paged(rows, page, size)
    return Reply(200, {"templates": templates, "pagination": pagination})


def create_template(context: Context) -> Reply:
    body: TemplateCreate = context.body
    _check(body, None)
    owner = context.caller.acting
    template: JSON = {
        **new_template(owner, context.now),
        "name": derived_name(body.definition),
        "category": body.category or detected_category(body.definition),
        "language": body.language or "en_US",
        "status": "PENDING" if body.submit_for_review is True else "DRAFT",
        **members_of_definition(body.definition),
    }
    context.store.templates[template["id"]] = Record(owner, template, body.definition)
    return Reply(201, template, then=_auto_review(context, template))


def retrieve_template(context: Context) -> Reply:
    return Reply(200, _template(context).wire)


def update_template(context: Context) -> Reply:
    """Update only the given members, although this is a PUT. With ``submit_for_review``, the review begins again."""
    before = _template(context, to_write=True)
    body: TemplateUpdate = context.body
    changes = given_members(body)
    submits = body.submit_for_review is True
    if submits or changes.keys() & {"definition", "category", "language"}:
        _must_be_editable(before.wire["status"])
    _check(body, before)
    template: JSON = {
        **before.wire,
        **{name: changes[name] for name in ("name", "category", "language") if name in changes},
        **(members_of_definition(body.definition) if body.definition else {}),
        "status": "PENDING" if submits else before.wire["status"],
        "updated_at": context.now,
    }
    template["is_published"] = template["status"] == "APPROVED"
    record = Record(before.owner, template, body.definition or before.definition)
    context.store.templates[template["id"]] = record
    return Reply(200, template, then=_auto_review(context, template))


def delete_template(context: Context) -> Reply:
    del context.store.templates[_template(context, to_write=True).wire["id"]]
    return Reply(204)


def review(store: Store, emit: Emit, template_id: str, status: str, now: str) -> None:
    """Set the result of a review, and report the event."""
    record = store.templates[template_id]
    wire = {**record.wire, "status": status, "is_published": status == "APPROVED", "updated_at": now}
    store.templates[template_id] = Record(record.owner, wire, record.definition)
    emit("templates", None, _event(wire, record.owner), record.owner)


def _event(wire: JSON, owner: str | None) -> JSON:
    return {
        "status": wire["status"],
        "whatsapp_template_id": f"wa_{wire['id']}" if wire["status"] == "APPROVED" else "",
        "account_id": owner or ORGANIZATION_ID,
        "template_id": wire["id"],
        "template_name": wire["name"],
        "category": wire["category"],
        "language": wire["language"],
    }


def _auto_review(context: Context, template: JSON) -> Callable[[], None] | None:
    """The function that approves the template after the response, if the fake does that automatically."""
    if context.settings.auto_approve and template["status"] == "PENDING":
        return partial(review, context.store, context.emit, template["id"], "APPROVED", context.now)
    return None


def readable_owners(context: Context) -> set[str | None]:
    """The owners whose templates the caller can read: itself, and the organization if a profile inherits them."""
    acting = context.caller.acting
    # A sender profile has no such setting. That it inherits the organization's templates is inferred.
    profile = context.store.profiles.get(acting or "", {"inherit_templates": acting is not None})
    return {acting, None} if profile["inherit_templates"] else {acting}


def _template(context: Context, *, to_write: bool = False) -> Record:
    check_uuids("Invalid template ID format.", context.parameters["id"])
    record = context.store.templates.get(context.parameters["id"])
    owners = {context.caller.acting} if to_write else readable_owners(context)
    if record is None or record.owner not in owners:
        raise Refusal(ErrorCode.TEMPLATE_NOT_FOUND)
    return record


def _must_be_editable(status: str) -> None:
    if status == "PENDING":
        raise Refusal(ErrorCode.TEMPLATE_IN_REVIEW)
    if status not in _EDITABLE:
        raise invalid("status", f"A template that is {status} can only be renamed")


def _check(body: TemplateCreate | TemplateUpdate, before: Record | None) -> None:
    """Raise ``Refusal`` with every invalid member. An invalid category has a message of its own, as documented."""
    problems = Problems()
    problems.expect_one_of(body.category, TemplateCategory, "category")
    problems.refuse_if_any(one_of(TemplateCategory, "category"))
    if isinstance(body.language, str):
        known = _LANGUAGE.fullmatch(body.language) is not None
        problems.expect(known, "language", "Must be a language tag such as en_US")
    if isinstance(body, TemplateUpdate) and isinstance(body.name, str):
        problems.expect_text(body.name, "name")
        problems.expect(not body.name.startswith("sent_"), "name", "Names that begin with sent_ are reserved")
    if body.definition:
        category = body.category or (before.wire["category"] if before else None)
        check_definition(body.definition, category or detected_category(body.definition), problems)
    problems.refuse_if_any()


def members_of_definition(definition: TemplateDefinition) -> JSON:
    """The members of a template that follow from its definition."""
    return {"channels": channels_of(definition), "variables": variables_of(definition)}
