"""``FakeSent``: start and stop of the server, and the methods for tests."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Any, Literal, Self

import msgspec
from aiohttp import web

from ..client import SentClient
from ..models import Profile, Webhook
from . import faults
from .accounts import AccountControls
from .callbacks import Callback
from .clock import stamp
from .context import Settings, World
from .deliveries import Delivery
from .events import FAMILIES, example_payload, split_name
from .limits import Limit
from .messaging.controls import MessageControls
from .outbox import Outbox
from .pipeline import State, handle
from .profiles import ProfileControls
from .recording import RecordedRequest
from .scripting import FaultScripting
from .seed import load
from .store import Endpoint, Key, Store, new_webhook, with_overrides
from .validation import is_url
from .webhooks import Webhooks


class FakeSent(FaultScripting, ProfileControls, MessageControls, AccountControls):
    """A Sent API on this machine, with state, rules and faults::

        async with FakeSent() as fake, fake.client() as sent:
            template = await sent.templates.create(definition=...)
            fake.approve(template.id)

    Args:
        api_key: An organization key whose user is an admin. ``add_key`` adds others.
        host: The address to listen on.
        port: The port to listen on; 0 for any free port.
        seed: The initial objects: ``True`` for the profile and the template of the API's own documents, ``False`` for
            none, or objects as the API writes them, such as
            ``{"profiles": [{"name": "Sales"}], "templates": [...]}``.
        organization: ``False`` for a key without an organization.
        empty_auth_bodies: Send 401 and 403 without a body.
        profile_page_size: Items on a page of the list of profiles; ``None`` for all on one page.
        check_prerequisites: ``False`` lets any profile be completed.
        auto_complete: ``False`` leaves a completion in progress until ``finish_completion``.
        auto_approve: Approve every template right after the response to its submission.
        keep_requests: How many of the latest requests are recorded.
        auto_deliver: ``False`` leaves messages ``QUEUED`` until ``deliver``, ``read``, ``fail`` or ``block``.
        check_conversations: Block free text to contacts who did not reply and got no template.
        scheduled_limit: How many scheduled messages may be held at once.
        callback_hosts: Hosts to which events and callbacks are posted, in addition to this machine.

    Raises:
        ValueError: ``api_key`` is empty, a number is below 1, or an object in ``seed`` cannot be stored.
        TypeError: ``callback_hosts`` is a string.
    """

    def __init__(
        self,
        api_key: str = "sk_test_fake",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: bool | Mapping[str, Any] = True,
        organization: bool = True,
        empty_auth_bodies: bool = False,
        profile_page_size: int | None = None,
        check_prerequisites: bool = True,
        auto_complete: bool = True,
        auto_approve: bool = False,
        keep_requests: int = 10_000,
        auto_deliver: bool = True,
        check_conversations: bool = False,
        scheduled_limit: int = 1_000_000,
        callback_hosts: Collection[str] = (),
    ) -> None:
        if not api_key:
            raise ValueError("api_key is empty; clients must send a key")
        if profile_page_size is not None and profile_page_size < 1:
            raise ValueError(f"profile_page_size must be 1 or more; got {profile_page_size!r}")
        if isinstance(callback_hosts, str):
            raise TypeError("callback_hosts is a string; pass a list of host names")
        if keep_requests < 1:
            raise ValueError(f"keep_requests must be 1 or more; got {keep_requests!r}")
        self.api_key = api_key
        self._host = host
        self._port = port
        self._seed = seed
        self._organization = organization
        self._settings = Settings(
            empty_auth_bodies=empty_auth_bodies,
            profile_page_size=profile_page_size,
            check_prerequisites=check_prerequisites,
            auto_complete=auto_complete,
            auto_approve=auto_approve,
            keep_requests=keep_requests,
            auto_deliver=auto_deliver,
            check_conversations=check_conversations,
            scheduled_limit=scheduled_limit,
        )
        self._outbox = Outbox(callback_hosts)
        self._begin()
        self._runner: web.ServerRunner | None = None
        self._control_connections: set[object] = set()

    def __repr__(self) -> str:
        return f"<FakeSent {self.url if self._runner else 'not started'}>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Start the server.

        Raises:
            OSError: The port is in use.
            RuntimeError: The server was started already.
        """
        if self._runner is not None:
            raise RuntimeError("this FakeSent has been started already")
        # Requests that have not arrived completely get this time. Requests that a fault delays end at once.
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self._state.start()

    async def close(self) -> None:
        """Stop the server and cancel the deliveries in progress. Stored objects can still be read."""
        runner, self._runner = self._runner, None
        if runner is not None:
            self._state.stop()
            await runner.cleanup()
            await self._outbox.close()

    @property
    def url(self) -> str:
        """The address of the server, for ``base_url``."""
        if self._runner is None:
            raise RuntimeError("this FakeSent is not running: use 'async with', or await start()")
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - named to be replaced
        host = everywhere.get(self._host, self._host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def port(self) -> int:
        """The port of the server."""
        return int(self._runner.addresses[0][1]) if self._runner is not None else self._port

    def client(self, **options: Any) -> SentClient:
        """Make a client for this server.

        Args:
            options: Options of ``SentClient``, such as another ``api_key``.

        Returns:
            The client.
        """
        merged: dict[str, Any] = {"api_key": self.api_key, "base_url": self.url, **options}
        return SentClient(**merged)

    def reset(self) -> None:
        """Reset to the initial state: resources, keys, limits, faults, recordings and clock."""
        self._state.stop()
        self._begin()
        if self._runner is not None:
            self._state.start()

    @property
    def webhooks(self) -> Webhooks:
        """The webhook endpoints by id, and methods that change their deliveries."""
        return Webhooks(self._state.store, self._state.deliveries)

    def add_webhook(self, *, profile_id: str | None = None, **overrides: Any) -> Webhook:
        """Store an active webhook endpoint.

        Args:
            profile_id: The profile of the endpoint. Default: the organization.
            overrides: Members of ``Webhook``, ``endpoint_url`` among them. Without ``event_types``, the endpoint gets
                all events.

        Returns:
            The endpoint, with its ``signing_secret``.

        Raises:
            KeyError: There is no such profile.
            TypeError: ``Webhook`` has no such member.
            ValueError: A value does not fit its member.
        """
        self._must_be_a_profile(profile_id)
        endpoint = new_webhook(profile_id, stamp(self.now))
        wire = with_overrides(Webhook, {**endpoint.wire, "event_types": list(FAMILIES)}, overrides)
        if not is_url(wire["endpoint_url"]):
            raise ValueError(f"endpoint_url must be an absolute http or https URL, not {wire['endpoint_url']!r}")
        self._state.store.webhooks[wire["id"]] = Endpoint(profile_id, wire)
        return self.webhooks[wire["id"]]

    def add_key(self, key: str | None = None, *, profile_id: str | None = None, admin: bool = True) -> str:
        """Add an API key.

        Args:
            key: The key. Default: a new one.
            profile_id: The profile of the key. Default: the organization.
            admin: Whether its user is an admin. Other users may not change profiles.

        Returns:
            The key.

        Raises:
            KeyError: There is no such profile.
        """
        self._must_be_a_profile(profile_id)
        value = key or f"sk_test_{secrets.token_hex(12)}"
        self._state.store.keys[value] = Key(value=value, profile_id=profile_id, admin=admin)
        return value

    def finish_completion(self, profile_id: str, *, success: bool = True) -> Profile:
        """End a completion that ``auto_complete=False`` left in progress, and report it to its ``webHookUrl``.

        Args:
            profile_id: The id of the profile.
            success: Whether the profile is approved.

        Returns:
            The profile.

        Raises:
            KeyError: There is no such profile.
        """
        self._state.finish(profile_id, success)
        return self.profiles[profile_id]

    def emit(
        self, name: str, payload: Mapping[str, Any] | None = None, *, profile_id: str | None = None
    ) -> list[Delivery]:
        """Report an event to the webhook endpoints that subscribe to it.

        This changes no stored object. An event of a family that does not exist goes to every endpoint.

        Args:
            name: The name of the event, such as ``message.delivered`` or ``templates``.
            payload: The ``payload`` as the API writes it. Default: an example, for a documented event.
            profile_id: The profile that the event is about. Default: the organization.

        Returns:
            One delivery for each endpoint. ``await fake.settle()`` waits for them.

        Raises:
            KeyError: There is no such profile.
            ValueError: There is no ``payload``, and the event is not documented.
        """
        self._must_be_a_profile(profile_id)
        if payload is None:
            try:
                payload = example_payload(name, profile_id, self._state.clock.now())
            except KeyError:
                raise ValueError(f"{name!r} is not a documented event; pass its payload") from None
        field, event = split_name(name)
        return self._state.emit(field, event, msgspec.to_builtins(payload), profile_id)

    def advance(self, seconds: float) -> None:
        """Advance the clock of the fake, and run everything that becomes due.

        The clock controls the steps of messages, retries of deliveries, rate limits, and the 24 hours of idempotency
        keys. The delay of ``delay_next`` is in real time.

        Args:
            seconds: By how much, 0 or more.

        Raises:
            ValueError: ``seconds`` is negative, or the clock would pass the year 9000.
        """
        self._state.clock.advance(seconds)

    def rate_limit(
        self,
        tier: str,
        *,
        limit: int,
        window: float = 60.0,
        burst: int | None = None,
        kind: Literal["window", "bucket"] = "window",
        retry_after: Literal["exact", "window", "none"] = "exact",
        headers: bool = True,
    ) -> None:
        """Set the rate limit of a tier. It applies to each API key separately.

        Without this call, the limits are too high to be reached.

        Args:
            tier: The tier, such as ``standard`` or ``sensitive``.
            limit: Requests per window.
            window: The length of a window in seconds.
            burst: For a window: requests allowed in addition to the limit. For a bucket: its size, by default
                ``limit``.
            kind: ``window`` for a fixed window that starts with its first request, ``bucket`` for a bucket that is
                refilled evenly.
            retry_after: The ``Retry-After`` of a 429: the ``exact`` seconds to wait, rounded up; the whole ``window``;
                or ``none``.
            headers: Whether responses have ``X-RateLimit-*`` headers.

        Raises:
            ValueError: A number is too small.
        """
        self._state.limits.set(
            tier,
            Limit(limit=limit, window=window, burst=burst, kind=kind, retry_after=retry_after, headers=headers),
        )

    @property
    def limits(self) -> Mapping[str, Limit]:
        """The rate limits that were set, by tier."""
        return dict(self._state.limits.by_tier)

    @property
    def now(self) -> float:
        """The time of the fake's clock, in Unix seconds."""
        return self._state.clock.now()

    @property
    def requests(self) -> list[RecordedRequest]:
        """The latest requests, up to ``keep_requests``, in the order of arrival. Those with faults are included."""
        return self._state.requests

    @property
    def callbacks(self) -> list[Callback]:
        """The latest callbacks after completions, delivered or not."""
        return self._state.callbacks

    async def settle(self) -> None:
        """Wait until no delivery and no callback is in progress. A delivery that waits for a retry does not count."""
        await self._outbox.settle()

    def clear(self) -> None:
        """Delete the recorded requests and callbacks, but no stored object."""
        self._state.requests.clear()
        self._state.callbacks.clear()

    def drop_connections(self) -> None:
        """Close every open connection, also unused ones, like a load balancer that restarts."""
        server = self._runner.server if self._runner is not None else None
        for connection in server.connections if server is not None else ():
            if connection not in self._control_connections:  # that of the request that makes this call
                connection.force_close()

    @property
    def _script(self) -> faults.Script:
        return self._state.script

    def _begin(self) -> None:
        """Make the initial state."""
        store = Store(seeded=self._seed is True, organization=self._organization)
        store.keys[self.api_key] = Key(value=self.api_key)
        self._state = State(store, self._settings, self._outbox)
        if not isinstance(self._seed, bool):
            load(self, self._seed)

    @property
    def _world(self) -> World:
        return self._state.world

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.rel_url.raw_path.startswith("/_fake"):
            from . import control  # imported here, because it needs this class

            self._control_connections.add(request.protocol)
            try:
                return await control.respond(self, request)
            finally:
                self._control_connections.discard(request.protocol)
        return await handle(self._state, request)
