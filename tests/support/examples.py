"""A campaign and a template definition, in Python and as they must look on the wire."""

from __future__ import annotations

import json
from typing import Any

from sent_async.models import (
    CampaignData,
    CampaignUseCaseData,
    TemplateBody,
    TemplateBodyContent,
    TemplateDefinition,
    TemplateVariable,
    TemplateVariableProps,
)
from tests.support.payloads import payload

CAMPAIGN = CampaignData(
    name="Customer Notifications",
    description="Appointment reminders",
    type="App",
    use_cases=[CampaignUseCaseData(messaging_use_case_us="ACCOUNT_NOTIFICATION", sample_messages=["Hi {name}"])],
    privacy_policy_link=None,
    optin_keywords="YES, START",
)
CAMPAIGN_WIRE: dict[str, Any] = {
    "name": "Customer Notifications",
    "description": "Appointment reminders",
    "type": "App",
    "useCases": [{"messagingUseCaseUs": "ACCOUNT_NOTIFICATION", "sampleMessages": ["Hi {name}"]}],
    "privacyPolicyLink": None,
    "optinKeywords": "YES, START",
}


def _variable(number: int, name: str, sample: str) -> TemplateVariable:
    props = TemplateVariableProps(
        variable_type="text", sample=sample, regex=None, url=None, short_url=None, alt=None, media_type=None
    )
    return TemplateVariable(id=number, name=name, type="variable", props=props)


DEFINITION = TemplateDefinition(
    header=None,
    body=TemplateBody(
        multi_channel=TemplateBodyContent(
            type=None,
            template="Hello {{0:variable}}! Welcome to {{1:variable}}.",
            variables=[_variable(0, "name", "John"), _variable(1, "company", "SentDM")],
        ),
        sms=None,
        whatsapp=None,
    ),
    footer=None,
    buttons=None,
    definition_version="1.0",
    authentication_config=None,
)
DEFINITION_WIRE: dict[str, Any] = json.loads(payload("templates-create-request.docs"))["definition"]
