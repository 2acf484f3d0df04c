"""Enums that accept unknown values."""

from __future__ import annotations

import copy
import gc
import pickle
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sent_async import ErrorCode
from sent_async.models import BillingModel, ProfileStatus, TemplateStatus

unknown_text = st.text(max_size=20).filter(lambda text: text not in {member.value for member in TemplateStatus})


def decode(value: str) -> TemplateStatus:
    return msgspec.json.decode(msgspec.json.encode(value), type=TemplateStatus)


def test_a_known_value_is_its_member() -> None:
    """Known values are members, with a readable name."""
    assert decode("APPROVED") is TemplateStatus.APPROVED
    assert TemplateStatus.APPROVED.is_known and TemplateStatus.APPROVED.name == "APPROVED"
    assert ErrorCode("RESOURCE_005") == "RESOURCE_005"


@given(unknown_text)
def test_an_unknown_value_is_its_string(text: str) -> None:
    """It equals, hashes, prints and encodes as its string, is of the enum's class, and says that it is unknown."""
    value = decode(text)
    assert isinstance(value, TemplateStatus) and isinstance(value, str)
    assert value == text and hash(value) == hash(text) and {text: 1}[value] == 1
    assert str(value) == value.value == value.name == f"{value}" == text
    assert not value.is_known
    assert msgspec.json.encode(value) == msgspec.json.encode(text)
    assert repr(text) in repr(value)


@given(unknown_text)
def test_an_unknown_value_can_be_pickled_and_copied(text: str) -> None:
    """It keeps its class and value, and stays unknown."""
    value = decode(text)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(value, protocol))
        assert type(again) is TemplateStatus and again == text and not again.is_known
    assert copy.copy(value) == copy.deepcopy(value) == text
    assert type(copy.deepcopy(value)) is TemplateStatus


@pytest.mark.parametrize("member", list(TemplateStatus))
def test_a_member_can_be_pickled_and_copied(member: TemplateStatus) -> None:
    """It stays the same object."""
    assert pickle.loads(pickle.dumps(member)) is member
    assert copy.deepcopy(member) is member


def test_unknown_values_do_not_become_members() -> None:
    """Membership and iteration do not change when servers send new values."""
    before = list(TemplateStatus)
    assert not decode("NEVER_SEEN").is_known
    assert not decode("NEVER_SEEN").is_known
    assert list(TemplateStatus) == before and "NEVER_SEEN" not in TemplateStatus.__members__


def test_the_same_text_in_two_enums() -> None:
    """An unknown value belongs to the enum it was read for."""
    assert type(ProfileStatus("odd")) is ProfileStatus
    assert type(BillingModel("odd")) is BillingModel


def test_other_types_than_strings_are_refused() -> None:
    """Only strings may be unknown values."""
    values: list[Any] = [7, None, ["x"]]
    for value in values:
        with pytest.raises((ValueError, TypeError)):
            TemplateStatus(value)


def test_unknown_values_are_not_stored() -> None:
    """Unknown values are not stored."""
    for n in range(2_000):
        decode(f"warm up {n}")
    gc.collect()
    tracemalloc.start()
    try:
        for n in range(20_000):
            decode(f"flood {n}")
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 200_000


def test_match_statement() -> None:
    """A match statement compares members, and an unknown value matches the wildcard."""
    match decode("NEVER_SEEN"):
        case TemplateStatus.APPROVED:
            pytest.fail("matched a member")
        case other:
            assert other.value == "NEVER_SEEN"
