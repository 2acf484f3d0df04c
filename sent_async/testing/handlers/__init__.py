"""The functions that execute the operations. Each module is for one resource.

For an operation without a function, the response is an example made from its schema, and nothing is stored.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from ... import operations
from ..context import Context
from ..responses import Reply
from . import (
    account,
    campaigns,
    channels,
    completion,
    contacts,
    conversations,
    messages,
    profiles,
    sender_profiles,
    templates,
    users,
    voice,
    webhooks,
)

Handler = Callable[[Context], Reply | Awaitable[Reply]]

HANDLERS: Final[Mapping[str, Handler]] = {
    operations.LIST_PROFILES.name: profiles.list_profiles,
    operations.CREATE_PROFILE.name: profiles.create_profile,
    operations.RETRIEVE_PROFILE.name: profiles.retrieve_profile,
    operations.UPDATE_PROFILE.name: profiles.update_profile,
    operations.DELETE_PROFILE.name: profiles.delete_profile,
    operations.COMPLETE_PROFILE.name: completion.complete_profile,
    operations.LIST_CAMPAIGNS.name: campaigns.list_campaigns,
    operations.CREATE_CAMPAIGN.name: campaigns.create_campaign,
    operations.UPDATE_CAMPAIGN.name: campaigns.update_campaign,
    operations.DELETE_CAMPAIGN.name: campaigns.delete_campaign,
    operations.LIST_TEMPLATES.name: templates.list_templates,
    operations.CREATE_TEMPLATE.name: templates.create_template,
    operations.RETRIEVE_TEMPLATE.name: templates.retrieve_template,
    operations.UPDATE_TEMPLATE.name: templates.update_template,
    operations.DELETE_TEMPLATE.name: templates.delete_template,
    operations.SEND_MESSAGE.name: messages.send_message,
    operations.RETRIEVE_MESSAGE.name: messages.retrieve_message,
    operations.LIST_MESSAGE_ACTIVITIES.name: messages.list_activities,
    operations.RESEND_MESSAGE.name: messages.resend_message,
    operations.CANCEL_MESSAGE.name: messages.cancel_message,
    operations.LIST_CONTACTS.name: contacts.list_contacts,
    operations.CREATE_CONTACT.name: contacts.create_contact,
    operations.RETRIEVE_CONTACT.name: contacts.retrieve_contact,
    operations.UPDATE_CONTACT.name: contacts.update_contact,
    operations.DELETE_CONTACT.name: contacts.delete_contact,
    operations.RETRIEVE_CONTACT_MESSAGE_SUMMARY.name: contacts.message_summary,
    operations.LIST_CONVERSATIONS.name: conversations.list_conversations,
    operations.LIST_CONVERSATION_MESSAGES.name: conversations.list_conversation_messages,
    operations.LIST_WEBHOOKS.name: webhooks.list_webhooks,
    operations.CREATE_WEBHOOK.name: webhooks.create_webhook,
    operations.RETRIEVE_WEBHOOK.name: webhooks.retrieve_webhook,
    operations.UPDATE_WEBHOOK.name: webhooks.update_webhook,
    operations.DELETE_WEBHOOK.name: webhooks.delete_webhook,
    operations.TOGGLE_WEBHOOK_STATUS.name: webhooks.toggle_webhook_status,
    operations.ROTATE_WEBHOOK_SECRET.name: webhooks.rotate_webhook_secret,
    operations.TEST_WEBHOOK.name: webhooks.test_webhook,
    operations.LIST_WEBHOOK_EVENTS.name: webhooks.list_webhook_events,
    operations.LIST_WEBHOOK_EVENT_TYPES.name: webhooks.list_webhook_event_types,
    operations.LIST_USERS.name: users.list_users,
    operations.INVITE_USER.name: users.invite_user,
    operations.RETRIEVE_USER.name: users.retrieve_user,
    operations.UPDATE_USER_ROLE.name: users.update_user_role,
    operations.REMOVE_USER.name: users.remove_user,
    operations.RETRIEVE_ME.name: account.retrieve_me,
    operations.LOOKUP_NUMBER.name: account.lookup_number,
    operations.LIST_SENDER_PROFILES.name: sender_profiles.list_sender_profiles,
    operations.CREATE_SENDER_PROFILE.name: sender_profiles.create_sender_profile,
    operations.RETRIEVE_SENDER_PROFILE.name: sender_profiles.retrieve_sender_profile,
    operations.UPDATE_SENDER_PROFILE.name: sender_profiles.update_sender_profile,
    operations.DELETE_SENDER_PROFILE.name: sender_profiles.delete_sender_profile,
    operations.RETRIEVE_CHANNELS.name: channels.retrieve_channels,
    operations.LIST_SMS_MARKETS.name: channels.list_sms_markets,
    operations.CREATE_SMS_MARKET.name: channels.create_sms_market,
    operations.RETRIEVE_SMS_MARKET.name: channels.retrieve_sms_market,
    operations.UPDATE_SMS_MARKET.name: channels.update_sms_market,
    operations.CREATE_WHATS_APP_CHANNEL.name: channels.create_whatsapp_channel,
    operations.CREATE_RCS_AGENT.name: channels.create_rcs_agent,
    operations.RETRIEVE_COMPLIANCE_REQUIREMENTS.name: channels.retrieve_compliance_requirements,
    operations.LIST_VOICE_NUMBERS.name: voice.list_voice_numbers,
    operations.CREATE_VOICE_NUMBER.name: voice.create_voice_number,
    operations.RETRIEVE_VOICE_NUMBER.name: voice.retrieve_voice_number,
    operations.UPDATE_VOICE_NUMBER.name: voice.update_voice_number,
    operations.ROTATE_VOICE_SECRET.name: voice.rotate_voice_secret,
    operations.TEST_VOICE_NUMBER.name: voice.test_voice_number,
}
