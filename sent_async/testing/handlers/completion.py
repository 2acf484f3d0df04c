"""The completion of a profile: accepted at once, done after the response, and reported to the URL in the request."""

from __future__ import annotations

from functools import partial
from typing import Final

from ..context import Context
from ..responses import Reply
from ..store import JSON, Store, shown_profile
from ..validation import Problems, invalid, is_url

_DONE: Final = ("approved", "completed")
_IN_PROGRESS: Final = {"processing": "in_progress", "submitted": "submitted", "pending_review": "submitted"}


def complete_profile(context: Context) -> Reply:
    """Check the prerequisites and begin the completion, unless the profile is complete or in progress."""
    profile, body = context.profile(), context.body
    context.caller.must_be_admin()
    if not is_url(body.web_hook_url):
        raise invalid("webHookUrl", "webHookUrl must be an absolute http or https URL")
    if context.settings.check_prerequisites:
        _check_prerequisites(profile)
    status: str = profile["status"]
    if status in _DONE:
        return Reply(200, {"status": "completed", "message": "Profile is already completed"})
    if status in _IN_PROGRESS:
        return Reply(200, {"status": _IN_PROGRESS[status], "message": "Profile completion is already in progress"})
    context.store.profiles[profile["id"]] = {**profile, "status": "processing", "updated_at": context.now}
    context.store.web_hooks[profile["id"]] = body.web_hook_url
    finish = partial(context.finish, profile["id"]) if context.settings.auto_complete else None
    return Reply(202, {"message": "Profile completion in progress"}, then=finish)


def finish_completion(store: Store, profile_id: str, *, success: bool, now: str) -> tuple[str, JSON] | None:
    """End the completion of a profile. Returns the URL and the body of its callback, if a completion was requested."""
    profile = store.profiles[profile_id]
    store.profiles[profile_id] = {**profile, "status": "approved" if success else "failed", "updated_at": now}
    url = store.web_hooks.pop(profile_id, None)
    if url is None:
        return None
    status = "COMPLETED" if success else "failed"
    return url, {"profileId": profile_id, "success": success, "status": status, "timestamp": now}


def _check_prerequisites(profile: JSON) -> None:
    problems = Problems()
    for name in ("name", "short_name", "description"):
        problems.expect(bool(profile[name]), name, f"Profile {name} must be set before completion")
    problems.expect(shown_profile(profile)["brand"] is not None, "brand", "Profile needs its own or an inherited brand")
    problems.refuse_if_any("Profile does not meet the prerequisites for completion")
