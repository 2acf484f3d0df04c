"""The bodies of the canned server: the API's own example with other ids."""

from __future__ import annotations

import copy
import json
import uuid
from pathlib import Path
from typing import Any

_RECORDED = Path(__file__).parent.parent / "tests" / "payloads" / "profiles-list-200.seed.json"
_ENVELOPE: dict[str, Any] = json.loads(_RECORDED.read_bytes())
_ID_SPACE = 0x660E8400_E29B_41D4_A716 << 48

LIMITED = b'{"success":false,"data":null,"error":{"code":"BUSINESS_002","message":"Rate limit exceeded"},"meta":null}'


def profile_id(number: int) -> str:
    """The id of the profile with this number."""
    return str(uuid.UUID(int=_ID_SPACE | number))


def _profile(number: int, *, drifted: bool) -> dict[str, Any]:
    data: dict[str, Any] = copy.deepcopy(_ENVELOPE["data"]["profiles"][0])
    data["id"] = profile_id(number)
    data["name"] = f"Team {number}"
    if drifted:  # what a newer API may do: a value and members nobody knows, and members left out
        data["status"] = "hibernating"
        data["brand"]["compliance"]["vertical"] = "SPACE_TOURISM"
        data["loyalty"] = {"tier": "gold", "points": [1, 2, 3]}
        data["brand"].pop("csp_id", None)
        data.pop("description", None)
    return data


def _body(data: object) -> bytes:
    return json.dumps({**_ENVELOPE, "data": data}, separators=(",", ":")).encode()


def one(number: int = 1, *, drifted: bool = False) -> bytes:
    """The body of ``GET /v3/profiles/{id}``."""
    return _body(_profile(number, drifted=drifted))


def many(count: int, *, drifted: bool = False) -> bytes:
    """The body of ``GET /v3/profiles``."""
    return _body({"profiles": [_profile(number, drifted=drifted) for number in range(count)]})
