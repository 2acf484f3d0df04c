"""What people import and type: names, signatures, and what an import costs."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import sent_async
from sent_async import SentClient, SentError, models, operations
from sent_async.resources.campaigns import Campaigns
from sent_async.resources.profiles import Profiles
from sent_async.resources.templates import Templates

PACKAGE = Path(sent_async.__file__).parent


def run(code: str) -> str:
    """The output of a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.parametrize("module", [sent_async, models, operations], ids=lambda module: module.__name__)
def test_all(module: object) -> None:
    """``__all__`` is sorted, holds nothing twice, and everything in it exists."""
    names: list[str] = module.__all__  # type: ignore[attr-defined]
    assert names == sorted(names) and len(names) == len(set(names))
    assert all(hasattr(module, name) for name in names)


def test_the_names_people_use() -> None:
    """The names of the documentation are in the package itself."""
    promised = """SentClient SentError SentConfigError SentConnectionError SentTimeoutError SentDecodeError SentAPIError
        BadRequestError AuthenticationError PermissionDeniedError NotFoundError ConflictError UnprocessableEntityError
        RateLimitError ServerError ErrorCode Operation Page Paginator SentResponse Attempt Pacer RateLimit"""
    assert set(promised.split()) <= set(sent_async.__all__)
    for name in ("TemplateDefinition", "TemplateBody", "TemplateBodyContent", "CampaignData", "Profile", "Template"):
        assert name in models.__all__


def test_public_exceptions_are_rooted() -> None:
    """``except SentError`` catches everything the package raises on purpose."""
    values = [getattr(sent_async, name) for name in sent_async.__all__]
    exceptions = [value for value in values if isinstance(value, type) and issubclass(value, BaseException)]
    assert len(exceptions) == 14
    assert all(issubclass(kind, SentError) for kind in exceptions)


def test_the_client() -> None:
    """The options by name: the key may be given by place, everything else by keyword only."""
    parameters = inspect.signature(SentClient).parameters
    promised = """api_key base_url profile_id timeout deadline max_retries headers session limit proxy ssl trust_env
        pacing max_response_bytes allow_http on_attempt clock"""
    assert set(promised.split()) == set(parameters)
    assert {name for name, one in parameters.items() if one.kind is not one.KEYWORD_ONLY} == {"api_key"}
    assert all(one.default is not one.empty for one in parameters.values())
    defaults = {name: parameters[name].default for name in ("timeout", "deadline", "max_retries", "limit", "trust_env")}
    assert defaults == {"timeout": 30.0, "deadline": None, "max_retries": 2, "limit": 100, "trust_env": True}
    assert parameters["pacing"].default is True and parameters["allow_http"].default is False


def test_a_view_takes_what_can_change() -> None:
    """``with_options`` has the options that do not touch connections, by keyword only."""
    parameters = list(inspect.signature(SentClient.with_options).parameters.values())[1:]
    assert {one.name for one in parameters} == {"profile_id", "timeout", "deadline", "max_retries", "headers"}
    assert all(one.kind is one.KEYWORD_ONLY for one in parameters)


@pytest.mark.parametrize("resource", [Profiles, Campaigns, Templates])
def test_methods_take_ids_by_place_and_the_rest_by_name(resource: type) -> None:
    """Positional parameters are ids; every write takes an idempotency key; every public method is documented."""
    for name, method in inspect.getmembers(resource, inspect.isfunction):
        if name.startswith("_"):
            continue
        parameters = list(inspect.signature(method).parameters.values())[1:]
        by_place = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
        assert all(one.endswith(("_id", "ids")) for one in by_place), name
        if name in ("create", "update", "delete", "complete"):
            assert "idempotency_key" in {one.name for one in parameters}
        assert inspect.getdoc(method), name


def test_the_version() -> None:
    """The package and its metadata agree on the version."""
    assert sent_async.__version__ == metadata.version("sent-async")


def test_it_is_typed() -> None:
    """The marker for type checkers is there."""
    assert (PACKAGE / "py.typed").exists()


def test_the_price_of_an_import() -> None:
    """Beside what it depends on the package adds a few modules of its own, and not its test server."""
    code = """
import sys, aiohttp, msgspec, backoff
before = set(sys.modules)
import sent_async
added = set(sys.modules) - before
print(len(added), *sorted(name for name in sys.modules if name.startswith("sent_async.testing")))
"""
    count, *testing = run(code).split()
    assert int(count) <= 40
    assert testing == []


def test_an_import_changes_nothing() -> None:
    """Importing starts no thread, sets no handler, reads no key and warns of nothing."""
    code = """
import logging, threading, warnings
warnings.simplefilter("error")
import sent_async
print(threading.active_count(), logging.getLogger("sent_async").handlers, logging.getLogger().handlers)
"""
    assert run(code).strip() == "1 [] []"


def test_generated_code_is_left_alone() -> None:
    """Request and response classes are all public, so that callers can build and name them."""
    from sent_async.models import requests, responses

    for module in (requests, responses):
        kinds = inspect.getmembers(module, inspect.isclass)
        own = {name for name, kind in kinds if kind.__module__ == module.__name__}
        assert own <= set(models.__all__)
