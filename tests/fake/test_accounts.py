"""Users, the account itself, and facts about numbers."""

from __future__ import annotations

from typing import Any

import pytest

from sent_async import BadRequestError, ConflictError, NotFoundError, PermissionDeniedError, SentClient
from sent_async.testing import FakeSent
from tests.support.fake_data import SEEDED
from tests.support.payloads import payload
from tests.support.raw_client import Wire


async def test_users_from_invitation_to_removal(fake_sent: FakeSent, sent: SentClient) -> None:
    """A user is invited once, listed, given another role, and removed."""
    (owner,) = await sent.users.list()
    assert (owner.role, owner.status) == ("admin", "active")
    invited = await sent.users.invite(email="jo@example.com", name="Jo", role="developer")
    assert (invited.status, invited.role, invited.invited_at is not None) == ("invited", "developer", True)
    assert [user.id async for user in sent.users.list()] == [owner.id, invited.id] == list(fake_sent.users)
    changed = await sent.users.update_role(invited.id, role="billing")
    assert (changed.role, changed.updated_at is not None) == ("billing", True)
    assert (await sent.users.retrieve(invited.id)).role == "billing"
    with pytest.raises(ConflictError) as taken:
        await sent.users.invite(email="JO@example.com", name="Jo", role="admin")
    assert taken.value.code == "RESOURCE_007"
    await sent.users.remove(invited.id)
    with pytest.raises(NotFoundError) as gone:
        await sent.users.retrieve(invited.id)
    assert gone.value.code == "RESOURCE_006"


async def test_the_documented_invitation(fake_sent: FakeSent, wire: Wire) -> None:
    """The example of the vendor's document is accepted as it stands."""
    response = await wire(fake_sent, "POST", "/v3/users", content=payload("users-invite-request.csharp-tests"))
    assert (response.status, response.json["data"]["email"]) == (201, "newuser@example.com")


@pytest.mark.parametrize(
    ("change", "member"),
    [({"email": "nobody"}, "email"), ({"name": " "}, "name"), ({"role": "owner"}, "role"), ({"role": None}, "role")],
)
async def test_invitations_that_are_refused(
    fake_sent: FakeSent, wire: Wire, change: dict[str, object], member: str
) -> None:
    """With the member at fault."""
    body = {"email": "jo@example.com", "name": "Jo", "role": "admin", **change}
    response = await wire(fake_sent, "POST", "/v3/users", body)
    assert (response.status, list(response.json["error"]["details"])) == (400, [member])


async def test_the_last_admin_and_the_own_user(fake_sent: FakeSent, sent: SentClient) -> None:
    """The last admin and the own user cannot be changed or removed. An invited admin does not count."""
    (me,) = fake_sent.users
    fake_sent.add_user(role="admin", status="invited")
    other = fake_sent.add_user(role="admin", profile_id=SEEDED)
    for client, user in ((sent, me), (sent.with_options(profile_id=SEEDED), other.id)):
        with pytest.raises(BadRequestError):
            await client.users.update_role(user, role="billing")
        with pytest.raises(BadRequestError):
            await client.users.remove(user)
    second = fake_sent.add_user(role="admin", profile_id=SEEDED)
    await sent.with_options(profile_id=SEEDED).users.update_role(second.id, role="admin")
    await sent.with_options(profile_id=SEEDED).users.remove(second.id)
    with pytest.raises(NotFoundError):
        await sent.users.remove(other.id)


async def test_only_an_admin_manages_users(fake_sent: FakeSent) -> None:
    """Other roles may only read."""
    user = fake_sent.add_user()
    async with fake_sent.client(api_key=fake_sent.add_key(admin=False)) as sent:
        assert len(await sent.users.list()) == 2
        with pytest.raises(PermissionDeniedError):
            await sent.users.invite(email="a@example.com", name="A", role="admin")
        with pytest.raises(PermissionDeniedError):
            await sent.users.update_role(user.id, role="admin")
        with pytest.raises(PermissionDeniedError):
            await sent.users.remove(user.id)


async def test_an_organization(fake_sent: FakeSent, sent: SentClient) -> None:
    """It has its profiles of both kinds. Parts that are not set up are left out."""
    added = fake_sent.add_sender_profile(name="Retail")
    me = await sent.me.retrieve()
    assert (me.type, me.organization_id, me.settings) == ("organization", None, None)
    assert me.profiles is not None
    assert [profile.id for profile in me.profiles] == [SEEDED, added.id]
    assert me.profiles[0].settings is not None and me.profiles[0].settings.inherit_contacts is False
    assert me.channels is not None and me.channels.sms is not None
    assert me.channels.sms.configured is False
    await sent.channels.sms.create(country="US", number_type="TOLL_FREE")
    await sent.channels.whatsapp.create(waba_id="waba-1")
    fake_sent.activate_market("US", "TOLL_FREE")
    channels = (await sent.me.retrieve()).channels
    assert channels is not None and channels.sms is not None and channels.whatsapp is not None
    assert (channels.sms.configured, channels.whatsapp.configured) == (True, True)
    assert channels.sms.phone_number is not None and channels.whatsapp.phone_number is None


async def test_a_profile(fake_sent: FakeSent, sent: SentClient) -> None:
    """It is shown for its own key, and for requests on its behalf."""
    number = "+12025550123"
    old = fake_sent.add_profile(name="Bonn", sending_phone_number=number)
    new = fake_sent.add_sender_profile(name="Retail")
    me = await sent.with_options(profile_id=old.id).me.retrieve()
    assert (me.id, me.type, me.name, me.status, me.profiles) == (old.id, "profile", "Bonn", "approved", None)
    assert (me.sending_phone_number, me.sending_phone_number_profile_id) == (number, old.id)
    assert me.channels is not None and me.channels.sms is not None and me.channels.sms.phone_number == number
    async with fake_sent.client(api_key=new.api_key) as profile_client:
        me = await profile_client.me.retrieve()
    assert (me.id, me.type, me.short_name) == (new.id, "profile", "Example")


async def test_a_key_without_an_organization() -> None:
    """It belongs to a user."""
    async with FakeSent(organization=False) as fake, fake.client() as sent:
        me = await sent.me.retrieve()
    assert (me.type, me.profiles) == ("user", None)


async def test_lookup(fake_sent: FakeSent, sent: SentClient) -> None:
    """A number has the facts that a test has set, and few others. A text that is no number is VALIDATION_002."""
    plain = await sent.numbers.lookup("+12025551234")
    assert (plain.phone_number, plain.is_valid, plain.country_code, plain.carrier_name) == (
        "+12025551234",
        True,
        "US",
        None,
    )
    fake_sent.set_lookup("+12025551234", carrier_name="Acme Mobile", is_voip=False, is_valid=False)
    changed = await sent.numbers.lookup("+12025551234")
    assert (changed.carrier_name, changed.is_voip, changed.is_valid) == ("Acme Mobile", False, False)
    with pytest.raises(BadRequestError) as refused:
        await sent.numbers.lookup("12025551234")
    assert refused.value.code == "VALIDATION_002"
    wrong: list[tuple[str, dict[str, Any]]] = [("nobody", {}), ("+12025551234", {"is_voip": "perhaps"})]
    for number, facts in wrong:
        with pytest.raises(ValueError, match=r"E\.164|is_voip"):
            fake_sent.set_lookup(number, **facts)
