"""The methods of ``FakeSent`` about profiles, templates and campaigns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import msgspec

from ..models import Campaign, ErrorCode, Profile, Template, TemplateDefinition
from ..operations import ERROR_STATUS
from .clock import stamp
from .context import World
from .handlers.templates import members_of_definition, review
from .store import Record, View, new_campaign, new_profile, new_template, shown_profile, with_overrides


class ProfileControls(ABC):
    """Profiles, templates and campaigns that tests add, and actions of Sent's reviewers."""

    @property
    @abstractmethod
    def _world(self) -> World: ...

    @property
    def profiles(self) -> Mapping[str, Profile]:
        """The profiles by id, in the order of creation, as responses show them."""
        return View(Profile, self._world.store.profiles, shown_profile)

    @property
    def templates(self) -> Mapping[str, Template]:
        """The templates of all owners by id, in the order of creation."""
        return View(Template, self._world.store.templates, attrgetter("wire"))

    @property
    def campaigns(self) -> Mapping[str, Campaign]:
        """The campaigns of all owners by id, in the order of creation."""
        return View(Campaign, self._world.store.campaigns, attrgetter("wire"))

    def definition(self, template_id: str) -> TemplateDefinition | None:
        """The definition of a template, which the API itself does not return.

        Args:
            template_id: The id of the template.

        Returns:
            The definition of its creation or last update; ``None`` if it has none.

        Raises:
            KeyError: There is no such template.
        """
        return self._world.store.templates[template_id].definition

    def add_profile(self, **overrides: Any) -> Profile:
        """Store a profile.

        Args:
            overrides: Members of ``Profile``. ``status="incomplete"`` makes one that can be completed. Default: an
                approved profile.

        Returns:
            The profile.

        Raises:
            TypeError: ``Profile`` has no such member.
            ValueError: A value does not fit its member.
        """
        wire = {
            **new_profile(stamp(self._world.time())),
            "status": "approved",
            "name": "Sales Team",
            "short_name": "SALES",
        }
        wire = with_overrides(Profile, wire, overrides)
        self._world.store.profiles[wire["id"]] = wire
        return self.profiles[wire["id"]]

    def add_template(
        self, *, profile_id: str | None = None, definition: TemplateDefinition | None = None, **overrides: Any
    ) -> Template:
        """Store a template.

        Args:
            profile_id: The profile of the template. Default: the organization.
            definition: The content of its messages. Without it, a message has the template's name and the values.
            overrides: Members of ``Template``. Default: an approved template.

        Returns:
            The template.

        Raises:
            KeyError: There is no such profile.
            TypeError: ``Template`` has no such member.
            ValueError: A value does not fit its member.
        """
        if profile_id is not None and profile_id not in self._world.store.profiles:
            raise KeyError(profile_id)
        definition = msgspec.convert(definition, TemplateDefinition | None)  # a seed has it as plain JSON
        wire = {**new_template(profile_id, stamp(self._world.time())), "status": "APPROVED"}
        wire = with_overrides(
            Template, {**wire, **(members_of_definition(definition) if definition else {})}, overrides
        )
        wire = {**wire, "is_published": overrides.get("is_published", wire["status"] == "APPROVED")}
        self._world.store.templates[wire["id"]] = Record(profile_id, wire, definition)
        return self.templates[wire["id"]]

    def add_campaign(self, profile_id: str | None = None, **overrides: Any) -> Campaign:
        """Store a campaign.

        Args:
            profile_id: The profile of the campaign; ``None`` for the organization.
            overrides: Members of ``Campaign``.

        Returns:
            The campaign.

        Raises:
            KeyError: There is no such profile.
            TypeError: ``Campaign`` has no such member.
            ValueError: A value does not fit its member.
        """
        brand = shown_profile(self._world.store.profiles[profile_id])["brand"] if profile_id is not None else None
        wire = with_overrides(Campaign, new_campaign(brand and brand["id"], stamp(self._world.time())), overrides)
        self._world.store.campaigns[wire["id"]] = Record(profile_id, wire)
        return self.campaigns[wire["id"]]

    def approve(self, template_id: str) -> Template:
        """Approve a template.

        Args:
            template_id: The id of the template.

        Returns:
            The approved template.

        Raises:
            KeyError: There is no such template.
        """
        return self._review(template_id, "APPROVED")

    def reject(self, template_id: str) -> Template:
        """Reject a template.

        Args:
            template_id: The id of the template.

        Returns:
            The rejected template.

        Raises:
            KeyError: There is no such template.
        """
        return self._review(template_id, "REJECTED")

    def refuse_deletion(self, profile_id: str, code: str = ErrorCode.NUMBER_ON_OWN_WHATSAPP_ACCOUNT) -> None:
        """Refuse every deletion of a profile.

        Args:
            profile_id: The id of the profile.
            code: The error code, such as ``CONFLICT_012`` or ``CONFLICT_013``.

        Raises:
            ValueError: The error catalogue has no such code.
        """
        if code not in ERROR_STATUS:
            raise ValueError(f"{code} is not in the error catalogue")
        self._world.store.undeletable[profile_id] = code

    def _review(self, template_id: str, status: str) -> Template:
        review(self._world.store, self._world.emit, template_id, status, stamp(self._world.time()))
        return self.templates[template_id]
