"""Recorded bodies, and bodies made from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PAYLOADS = Path(__file__).parents[1] / "payloads"
META = {"request_id": "req_7X9zKp2jDw", "timestamp": "2026-03-31T15:21:52.1661009+00:00", "version": "v3"}


def payload(name: str) -> bytes:
    """A recorded body, byte for byte."""
    return (PAYLOADS / f"{name}.json").read_bytes()


def envelope(data: object, **members: object) -> bytes:
    """The body of a success with this data."""
    return json.dumps({"success": True, "data": data, "error": None, "meta": META, **members}).encode()


def problem(code: str | None, message: str = "No.", **members: object) -> bytes:
    """The body of an error response."""
    error = {"code": code, "message": message, "details": None, "doc_url": None, **members}
    return json.dumps({"success": False, "data": None, "error": error, "meta": META}).encode()


def profile(**changes: object) -> dict[str, Any]:
    """The customer's own profile, with changes."""
    data: dict[str, Any] = json.loads(payload("profiles-list-200.seed"))["data"]["profiles"][0]
    return {**data, **changes}
