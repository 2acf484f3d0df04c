"""Options that are refused when they are set, and those that are accepted."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sent_async import SentClient, SentConfigError

KEY = "sk_test_secret"


@pytest.mark.parametrize(
    "options",
    [
        {"api_key": ""},
        {"api_key": "sk\nx-admin: 1"},
        {"api_key": "sk\r"},
        {"api_key": "sk\x00"},
        {"api_key": "sk\x7f"},
        {"api_key": 5},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": math.nan},
        {"timeout": "30"},
        {"deadline": 0},
        {"deadline": -0.1},
        {"deadline": math.nan},
        {"max_retries": -1},
        {"max_retries": 1.5},
        {"max_retries": None},
        {"limit": 0},
        {"limit": -1},
        {"limit": 2.0},
        {"max_response_bytes": 0},
        {"max_response_bytes": -5},
        {"profile_id": ""},
        {"profile_id": "a\r\nx-admin: 1"},
        {"profile_id": 7},
        {"headers": {"X-A": "a\r\nX-B: b"}},
        {"headers": {"X-A": "a\n"}},
        {"headers": {"X-A": "\x00"}},
        {"headers": {"X-A\r\nX-B": "b"}},
        {"headers": {"X A": "b"}},
        {"headers": {"X-A:": "b"}},
        {"headers": {"": "b"}},
        {"headers": {"X-Ä": "b"}},
        {"headers": {"X-A": 1}},
        {"headers": {1: "b"}},
        {"headers": {"Idempotency-Key": "k"}},
        {"headers": {"idempotency-key": "k"}},
        {"base_url": "ftp://api.sent.dm"},
        {"base_url": "api.sent.dm"},
        {"base_url": "//api.sent.dm"},
        {"base_url": "https://"},
        {"base_url": "https:///v3"},
        {"base_url": "https://user@api.sent.dm"},
        {"base_url": "https://user:pass@api.sent.dm"},
        {"base_url": "https://:pass@api.sent.dm"},
        {"base_url": "https://api.sent.dm?x=1"},
        {"base_url": "https://api.sent.dm#x"},
        {"base_url": "https://api.sent.dm:99999"},
        {"base_url": "https://api.sent.dm:port"},
        {"base_url": "https://[::1"},
        {"base_url": 7},
        {"base_url": "http://api.sent.dm"},
        {"base_url": "HTTP://api.sent.dm"},
        {"base_url": "http://0.0.0.0:8000"},
        {"base_url": "http://10.0.0.1"},
        {"base_url": "http://localhost.example.com"},
        {"base_url": "http://127.0.0.1.example.com"},
        {"base_url": "http://[::]:80"},
    ],
    ids=repr,
)
def test_refused_at_construction(options: dict[str, Any]) -> None:
    """An option that cannot work, or would send the key to another host, is a ``SentConfigError``."""
    with pytest.raises(SentConfigError):
        SentClient(**{"api_key": KEY, **options})


@pytest.mark.parametrize(
    "change",
    [
        {"timeout": 0},
        {"deadline": -1},
        {"max_retries": -1},
        {"profile_id": ""},
        {"profile_id": "a\nb"},
        {"headers": {"X-A": "\n"}},
        {"headers": {"Idempotency-Key": "k"}},
    ],
    ids=repr,
)
def test_refused_in_a_view(change: dict[str, Any]) -> None:
    """The options of a view are checked like those of a client."""
    with pytest.raises(SentConfigError):
        SentClient(KEY).with_options(**change)


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.sent.dm",
        "https://api.sent.dm/",
        "https://eu.example.com:8443/sent",
        "http://localhost",
        "http://localhost:8000",
        "http://LOCALHOST:8000",
        "http://127.0.0.1:8000",
        "http://127.9.9.9",
        "http://[::1]:8000",
    ],
)
def test_accepted_base_urls(base_url: str) -> None:
    """https anywhere, http to this machine."""
    assert SentClient(KEY, base_url=base_url)


def test_plain_http_when_allowed() -> None:
    """``allow_http=True`` allows the key to be sent without encryption."""
    assert SentClient(KEY, base_url="http://sent.internal:8000", allow_http=True)


def test_plain_http_when_the_environment_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """``SENT_ALLOW_HTTP=1`` is the same, and the error without it names both ways."""
    for value in ("0", "", "no"):
        monkeypatch.setenv("SENT_ALLOW_HTTP", value)
        with pytest.raises(SentConfigError, match=r"allow_http=True or SENT_ALLOW_HTTP=1$"):
            SentClient(KEY, base_url="http://sent.internal:8000")
    monkeypatch.setenv("SENT_ALLOW_HTTP", "1")
    assert SentClient(KEY, base_url="http://sent.internal:8000")


def test_no_key() -> None:
    """The error names both places where the key can come from."""
    with pytest.raises(SentConfigError, match=r"SENT_DM_API_KEY.*api_key="):
        SentClient()


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key and address come from the environment, unless an argument is given."""
    monkeypatch.setenv("SENT_DM_API_KEY", "sk_env")
    monkeypatch.setenv("SENT_BASE_URL", "https://env.example.com/")
    assert "https://env.example.com" in repr(SentClient())
    assert "https://arg.example.com" in repr(SentClient(base_url="https://arg.example.com"))
    monkeypatch.setenv("SENT_BASE_URL", "http://env.example.com")
    with pytest.raises(SentConfigError):
        SentClient()


def test_an_empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable is the same as none."""
    monkeypatch.setenv("SENT_DM_API_KEY", "")
    with pytest.raises(SentConfigError):
        SentClient()
    monkeypatch.setenv("SENT_BASE_URL", "")
    assert "https://api.sent.dm" in repr(SentClient(KEY))


def test_the_defaults_are_shown() -> None:
    """The repr has the options, but no key and no header value."""
    shown = repr(SentClient(KEY, profile_id="p1", headers={"X-Token": "hidden"}))
    assert "https://api.sent.dm" in shown and "timeout=30.0" in shown and "max_retries=2" in shown
    assert "p1" in shown and "X-Token" in shown
    assert KEY not in shown and "hidden" not in shown


def test_none_means_no_limit() -> None:
    """``timeout`` and ``deadline`` can be ``None``."""
    assert SentClient(KEY, timeout=None, deadline=None, max_retries=0)


def test_a_view_does_not_change_its_client() -> None:
    """Options of a view are its own; headers are added; ``UNSET`` and ``None`` differ."""
    sent = SentClient(KEY, timeout=9, profile_id="p1", headers={"X-A": "1"})
    before = repr(sent)
    view = sent.with_options(profile_id=None, max_retries=0, headers={"X-B": "2"})
    assert repr(sent) == before
    assert "profile_id=None" in repr(view) and "timeout=9" in repr(view) and "['X-A', 'X-B']" in repr(view)
    assert "profile_id='p1'" in repr(sent.with_options(timeout=None))


def test_a_refused_key_is_not_repeated() -> None:
    """The message about a bad key, header value or URL does not show the secret in it."""
    for options in (
        {"api_key": "sk_live_oops\n"},
        {"api_key": KEY, "headers": {"X-Token": "sk_live_oops\r"}},
        {"api_key": KEY, "base_url": "https://sk_live_oops@api.sent.dm"},
        {"api_key": KEY, "base_url": "ftp://u:sk_live_oops@api.sent.dm"},
        {"api_key": KEY, "base_url": "https://u:sk_live_oops@api.sent.dm:99999"},
    ):
        with pytest.raises(SentConfigError) as caught:
            SentClient(**options)
        assert "oops" not in str(caught.value) + repr(caught.value)


@given(st.text(max_size=40))
def test_any_base_url(text: str) -> None:
    """Any text makes a client or a SentConfigError."""
    for base_url in (text, f"https://{text}", f"https://api.sent.dm/{text}"):
        with contextlib.suppress(SentConfigError):
            SentClient(KEY, base_url=base_url)


@pytest.mark.parametrize("where", ["api_key", "profile_id", "headers"])
def test_text_that_cannot_be_sent(where: str) -> None:
    """A lone surrogate has no encoding, so it is refused when the client is made."""
    value: Any = {"X-A": "\ud800"} if where == "headers" else "\ud800"
    with pytest.raises(SentConfigError):
        SentClient(**{"api_key": KEY, where: value})
