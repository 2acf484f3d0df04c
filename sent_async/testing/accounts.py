"""The methods of ``FakeSent`` about users, sender profiles, channels and numbers."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec

from ..models import NumberLookup, SenderProfile, SmsMarket, User
from .clock import stamp
from .context import World
from .handlers.channels import active_market
from .handlers.sender_profiles import shown_sender_profile
from .phones import parse
from .seed import ORGANIZATION_ID
from .store import Key, Record, View, new_sender_profile, new_user, with_overrides


class AccountControls(ABC):
    """Changes of an account without an API request."""

    @property
    @abstractmethod
    def _world(self) -> World: ...

    @property
    def users(self) -> Mapping[str, User]:
        """The users by id, in the order of creation. ``api_key`` is the key of the first one."""
        return View(User, self._world.store.users, attrgetter("wire"))

    @property
    def sender_profiles(self) -> Mapping[str, SenderProfile]:
        """The sender profiles by id, in the order of creation, as responses show them."""
        shown: Callable[[dict[str, Any]], dict[str, Any]] = partial(shown_sender_profile, self._world.store)
        return View(SenderProfile, self._world.store.sender_profiles, shown)

    def add_user(self, *, profile_id: str | None = None, **overrides: Any) -> User:
        """Store a user.

        Args:
            profile_id: The profile of the user. Default: the organization.
            overrides: Members of ``User``. Default: an active developer.

        Returns:
            The user.

        Raises:
            TypeError: ``User`` has no such member.
            ValueError: A value does not fit its member.
        """
        wire = with_overrides(User, new_user(profile_id, stamp(self._world.time())), overrides)
        self._world.store.users[wire["id"]] = Record(profile_id, wire)
        return self.users[wire["id"]]

    def add_sender_profile(self, **overrides: Any) -> SenderProfile:
        """Store a sender profile.

        Args:
            overrides: Members of ``SenderProfile``.

        Returns:
            The sender profile, with its ``api_key``.

        Raises:
            TypeError: ``SenderProfile`` has no such member.
            ValueError: A value does not fit its member.
        """
        wire = with_overrides(SenderProfile, new_sender_profile(stamp(self._world.time())), overrides)
        value = wire.pop("api_key", None) or f"sk_live_{secrets.token_hex(16)}"
        self._world.store.sender_profiles[wire["id"]] = wire
        self._world.store.keys[value] = Key(value=value, profile_id=wire["id"])
        return msgspec.structs.replace(self.sender_profiles[wire["id"]], api_key=value)

    def activate_market(self, country: str, number_type: str, *, profile_id: str | None = None) -> SmsMarket:
        """Approve an SMS market. It gets a number, and the event ``channel.activated`` is reported.

        Args:
            country: The two letters of the country.
            number_type: The kind of sender, such as ``TEN_DLC``.
            profile_id: The profile of the market. Default: the organization.

        Returns:
            The market.

        Raises:
            KeyError: There is no such market.
        """
        store, place = self._world.store, (profile_id, country, number_type)
        market = store.sms_markets[place] = active_market(store, place)
        self._world.emit(
            "channel",
            "channel.activated",
            {
                "account_id": profile_id or ORGANIZATION_ID,
                "channel": "sms",
                "status": market["status"],
                "country": country,
                "number_type": number_type,
                "sender_value": market["numbers"][0]["sender_value"],
                "compliance": market["compliance"],
                "updated_at": stamp(self._world.time()),
            },
            profile_id,
        )
        return msgspec.convert(market, SmsMarket)

    def set_lookup(self, number: str, **facts: Any) -> None:
        """Set the result of a lookup.

        Args:
            number: The number in E.164 form.
            facts: Members of ``NumberLookup``.

        Raises:
            TypeError: ``NumberLookup`` has no such member.
            ValueError: The number is not in E.164 form, or a value does not fit its member.
        """
        if parse(number) is None:
            raise ValueError("the number must be in the E.164 form, such as +14155551234")
        self._world.store.lookups[number] = with_overrides(NumberLookup, {}, facts)
