"""The code that a fragment gives, imported beside the real one, and a client that calls what it describes."""

from __future__ import annotations

import sys
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any, Final

from codegen.fragment.rules import check
from codegen.generate.output import files_of
from codegen.openapi.nodes import Node
from sent_async import SentClient, SentError

from .by_document import Described, Server

OK: Final = "ok"

_NUMBERS: Final = count()


class Generated:
    """Models and operations from the texts of generated files."""

    def __init__(self, files: dict[str, str], folder: Path) -> None:
        name = f"generated_{next(_NUMBERS)}"
        parts = {path.removeprefix("sent_async/"): text for path, text in files.items()}
        self.text = "\n".join(parts.values())
        for path, text in {"__init__.py": "", **parts}.items():
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.replace("sent_async.models", f"{name}.models"), encoding="utf-8")
        sys.path.insert(0, str(folder))
        try:
            self.models: Any = import_module(f"{name}.models")
            self.operations: Any = import_module(f"{name}.operations")
        finally:
            sys.path.remove(str(folder))


class Client(Generated):
    """The client that a document gives."""

    def __init__(self, described: Node, folder: Path) -> None:
        super().__init__(files_of(check(described)), folder)

    async def outcome(self, described: Described, server: Server) -> str:
        """``ok``, or which operations fail at this server, and how."""
        found: list[str] = []
        async with SentClient("key", base_url=server.url, max_retries=0, pacing=False) as sent:
            for operation in self.operations.ALL:
                arguments: dict[str, Any] = dict.fromkeys(operation.path_parameters, "t-1")
                for parameter in described.parameters(operation.name, "query"):
                    if parameter.get("required"):
                        arguments[parameter["name"]] = "eu"
                body = described.body_schema(operation.name)
                if operation.body is not None and body is not None:
                    arguments["body"] = operation.body(**described.example(body, full=False))
                try:
                    await sent.send(operation, **arguments)
                except SentError as error:
                    found.append(f"{operation.name} {type(error).__name__}")
        return ", ".join(found) or OK
