"""Deploy a directory of templates: each ``<name>.json`` or ``<name>.toml`` is created, or updated where it differs.

    python examples/deploy_templates.py templates/ --dry-run
    python examples/deploy_templates.py templates/

A file holds what the API takes: ``definition``, ``category``, ``language``. Its name is the template's. The API never
gives a definition back, so what was deployed is kept beside the files in ``deployed.json``: commit it with them.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from sent_async import SentClient, SentError, operations
from sent_async.models import TemplateCreate, TemplateUpdate

LOCK = "deployed.json"


def load(directory: Path) -> dict[str, Any]:
    """Bodies by name. ``from_json`` refuses a member that the API does not know, which would be dropped silently."""
    bodies: dict[str, Any] = {}
    for file in sorted(directory.iterdir()):
        if file.suffix not in (".json", ".toml") or file.name == LOCK:
            continue
        decode: Any = msgspec.toml.decode if file.suffix == ".toml" else msgspec.json.decode
        body = decode(file.read_bytes())
        try:
            TemplateCreate.from_json(msgspec.json.encode(body))
        except SentError as error:
            raise SystemExit(f"{file}: {error}") from None
        bodies[file.stem] = body
    return bodies


def diff(name: str, old: Any, new: Any) -> str:
    """The change of a template, as a unified diff of its JSON."""
    before, after = (json.dumps(body or {}, indent=2, ensure_ascii=False).splitlines() for body in (old, new))
    return "\n".join(difflib.unified_diff(before, after, f"{name}, deployed", f"{name}, here", lineterm=""))


def content_key(name: str, known: Any, body: Any, *, dry_run: bool) -> str:
    """The same step has the same key: a deployment run twice, or by two pipelines at once, changes things once.

    The count of steps is part of it, so that going back to an earlier text is a step of its own; and so is the dry
    run, because a sandbox response is stored under its key as well.
    """
    step = [name, known.get("id"), known.get("step", 0), body, dry_run]
    return f"deploy-{hashlib.sha256(msgspec.json.encode(step, order='sorted')).hexdigest()}"


async def push(sent: SentClient, name: str, known: Any, body: Any, *, dry_run: bool) -> str:
    """Create or update one template, or only have it checked. Returns its id."""
    key = content_key(name, known, body, dry_run=dry_run)
    if "id" in known:
        update = msgspec.convert({**body, "name": name, "sandbox": dry_run}, TemplateUpdate)
        response = await sent.send(
            operations.UPDATE_TEMPLATE, template_id=known["id"], body=update, idempotency_key=key
        )
        return response.data.id
    create = msgspec.convert({**body, "sandbox": dry_run}, TemplateCreate)
    response = await sent.send(operations.CREATE_TEMPLATE, body=create, idempotency_key=key)
    if not dry_run:
        await sent.templates.update(response.data.id, name=name)  # create takes no name
    return response.data.id


async def deploy(directory: Path, *, dry_run: bool) -> int:
    lock = directory / LOCK
    deployed: dict[str, Any] = json.loads(lock.read_text()) if lock.exists() else {}
    failed = 0
    async with SentClient() as sent:
        for name, body in load(directory).items():
            known = deployed.get(name, {})
            if known.get("body") == body:
                print(f"same     {name}")
                continue
            print(diff(name, known.get("body"), body))
            try:
                template_id = await push(sent, name, known, body, dry_run=dry_run)
            except SentError as error:
                failed += 1
                print(f"failed   {name}: {error}", file=sys.stderr)
                continue
            print(f"{'checked' if dry_run else 'updated' if known else 'created':<8} {name}")
            if not dry_run:
                deployed[name] = {"id": template_id, "step": known.get("step", 0) + 1, "body": body}
                lock.write_text(json.dumps(deployed, indent=2, ensure_ascii=False) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Deploy a directory of templates.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="have everything checked, change nothing")
    arguments = parser.parse_args()
    sys.exit(asyncio.run(deploy(arguments.directory, dry_run=arguments.dry_run)))
