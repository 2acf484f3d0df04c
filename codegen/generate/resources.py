"""The text of ``sent_async/resources/``: a class for each resource, a method for each endpoint."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from codegen.fragment.endpoints import Data, Endpoint, Parameter, argument_text, value_name
from codegen.openapi.names import python_name
from codegen.openapi.nodes import Node, SpecError, resolve

PACKAGE: Final = "sent_async/resources"

_ERRORS: Final = {
    "400": "BadRequestError",
    "401": "AuthenticationError",
    "403": "PermissionDeniedError",
    "404": "NotFoundError",
    "409": "ConflictError",
    "422": "UnprocessableEntityError",
    "429": "RateLimitError",
}
_BASE: Final = '''\
"""The typed methods of the client, a module for each resource of the API. Each is imported when it is first used."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ..client import SentClient
{imports}

class Resources:
    """The resources of the API, as attributes of the client."""

{attributes}
'''
_ATTRIBUTE: Final = '''\
    @cached_property
    def {name}(self) -> {type}:
        """{text}"""
        from .{name} import {type}

        return {type}(cast("SentClient", self))
'''
# All that a module may need. What it does not use is removed when it is formatted.
_IMPORTS: Final = """\
from __future__ import annotations

from typing import TYPE_CHECKING

from .. import operations
from ..batch import Batch, Progress, batch
{bodies}
from ..multipart import Document, Multipart
from ..pagination import Page, Paginator

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import Any, Unpack

    from ..client import SentClient
{models}
"""
_MANY: Final = """\
    def {call}_many(
        self,
        {ids}: Iterable[str] | AsyncIterable[str],
        *,
        concurrency: int = 50,
        fail_fast: bool = False,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Batch[str, {type}]:
        \"\"\"Call ``{call}`` for many ids at once. Await it for a list in order, iterate it as results come.

        Args:
            {ids}: The ids, from any iterable.
            concurrency: How many calls there are at once.
            fail_fast: Raise the first error instead of putting it in a ``Result``.
            on_progress: Called with a ``Progress`` at most ten times a second, and at the end.

        Returns:
            A ``Batch`` of ``Result``. See ``sent_async.batch``.
        \"\"\"
        return batch(self.{call}, {ids}, concurrency=concurrency, fail_fast=fail_fast, on_progress=on_progress)
"""


def resource_files(document: Node, endpoints: Sequence[Endpoint]) -> dict[str, str]:
    """Path to text of every file of the package, not yet formatted. A file holds one resource and those below it."""
    texts = {name: " ".join(str(text).split()) for name, text in document.get("x-resources", {}).items()}
    names = sorted({name for endpoint in endpoints for name in _ancestry(endpoint.resource)})
    if missing := [name for name in names if name not in texts]:
        raise SpecError("x-resources", f"{missing[0]} has no description")
    top = [name for name in names if "." not in name]
    imports = "\n".join(f"    from .{name} import {class_name(name)}" for name in top)
    attributes = [_ATTRIBUTE.format(name=name, type=class_name(name), text=texts[name]) for name in top]
    files = {f"{PACKAGE}/__init__.py": _BASE.format(imports=imports, attributes="\n".join(attributes))}
    for name in top:
        inside = sorted((inner for inner in names if _ancestry(inner)[0] == name), key=lambda inner: -inner.count("."))
        here = [endpoint for endpoint in endpoints if endpoint.resource in inside]
        classes = ["\n".join(_class(resource, names, here, texts)) for resource in inside]
        files[f"{PACKAGE}/{name}.py"] = "\n\n".join([f'"""{texts[name]}"""', _imports(here), *classes])
    return files


def class_name(resource: str) -> str:
    """``voice.calls`` is ``VoiceCalls``."""
    return "".join(word.capitalize() for word in resource.replace(".", "_").split("_"))


def _ancestry(resource: str) -> list[str]:
    parts = resource.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def _imports(endpoints: Sequence[Endpoint]) -> str:
    """Whatever these endpoints may use. Only the request bodies are needed at run time."""
    bodies = {endpoint.body for endpoint in endpoints if endpoint.body}
    modules: dict[str, set[str]] = {
        "models": {name for one in endpoints if one.data for name in one.data.classes},
        "models.enums": {value_name(p.enum) for one in endpoints for p in one.arguments if p.enum},
        "models.fields": {f"{body}Fields" for body in bodies},
    }
    models = [f"    from ..{module} import {', '.join(names)}" for module, names in modules.items() if names]
    requests = f"from ..models.requests import {', '.join(bodies)}" if bodies else ""
    return _IMPORTS.format(bodies=requests, models="\n".join(models))


def _class(
    resource: str, names: Sequence[str], endpoints: Sequence[Endpoint], texts: Mapping[str, str]
) -> Iterator[str]:
    below = {name.rpartition(".")[2]: name for name in names if name.rpartition(".")[0] == resource}
    methods = [_method(endpoint) for endpoint in endpoints if endpoint.resource == resource]
    yield f"class {class_name(resource)}:"
    yield f'    """{texts[resource]}"""\n'
    yield "    def __init__(self, client: SentClient) -> None:\n        self._client = client"
    for attribute, name in below.items():
        yield f"        self.{attribute} = {class_name(name)}(client)"
        yield f'        """{texts[name]}"""'
    calls = re.findall(r"^    (?:async )?def (\w+)", "\n".join(methods), re.MULTILINE)
    listing = "; ".join(", ".join(found) for found in (calls, below) if found)
    yield f'\n    def __repr__(self) -> str:\n        return "<sent.{resource}: {listing}>"\n'
    yield from methods


def _method(endpoint: Endpoint) -> str:
    if endpoint.data and endpoint.data.items is not None:
        return _list_method(endpoint, endpoint.data)
    result = endpoint.data.type.replace("list[", "Sequence[") if endpoint.data else "None"
    sent = [f"operations.{endpoint.constant}", *_passed(endpoint)]
    lines = [f"    async def {_signature(endpoint)} -> {result}:", _docstring(endpoint)]
    if endpoint.body:
        lines.append(f"        body = {endpoint.body}(**fields)")
        parts = endpoint.node.get("x-multipart")
        sent.append(
            f"body=Multipart(body, documents, parts={parts!r}) if documents else body" if parts else "body=body"
        )
    if endpoint.node["x-idempotency"] != "none":
        sent.append("idempotency_key=idempotency_key")
    call = f"await self._client.send({', '.join(sent)})"
    lines.append(f"        return ({call}).data\n" if endpoint.data else f"        {call}\n")
    if endpoint.call == "retrieve" and len(endpoint.path_parameters) == 1 and "*" not in lines[0] and endpoint.data:
        ids = f"{endpoint.path_parameters[0].name}s"
        lines.append(_MANY.format(call=endpoint.call, ids=ids, type=endpoint.data.type))
    return "\n".join(lines)


def _list_method(endpoint: Endpoint, data: Data) -> str:
    page = next((parameter for parameter in endpoint.query_parameters if parameter.wire == "page"), None)
    sent = [argument if argument != "page=page" else "page=number" for argument in _passed(endpoint)]
    items = f"response.data.{data.items} or ()" if data.items else "response.data"
    pagination = "response.data.pagination" if data.items else "None"
    first = ", first=page" if page and not page.later_pages else ""
    return f"""\
    def {_signature(endpoint)} -> Paginator[{data.item}]:
{_docstring(endpoint)}
        async def fetch({"number" if page else "_"}: int | None) -> Page[{data.item}]:
            response = await self._client.send({", ".join([f"operations.{endpoint.constant}", *sent])})
            return Page({items}, {pagination}, response.request_id)

        return Paginator(fetch{first})
"""


def _signature(endpoint: Endpoint) -> str:
    keywords = [_keyword(parameter) for parameter in endpoint.query_parameters if not parameter.later_pages]
    keywords += _options(endpoint)
    arguments = ["self", *(f"{parameter.name}: {parameter.type}" for parameter in endpoint.path_parameters)]
    arguments += ["*", *keywords] if keywords else []
    arguments += [f"**fields: Unpack[{endpoint.body}Fields]"] if endpoint.body else []
    return f"{endpoint.call}({', '.join(arguments)})"


def _keyword(parameter: Parameter) -> str:
    if parameter.default is not None:
        return f"{parameter.name}: {parameter.type} = {parameter.default}"
    return f"{parameter.name}: {parameter.type}" + ("" if parameter.required else " | None = None")


def _options(endpoint: Endpoint) -> dict[str, str]:
    """The keywords that are not members of the request, with their texts."""
    options: dict[str, str] = {}
    if "x-multipart" in endpoint.node:
        what = "Documents to upload, by their key: a path, the content, or a tuple of name, content and content type."
        options["documents: Mapping[str, Document] | None = None"] = what
    if (idempotency := endpoint.node["x-idempotency"]) != "none":
        made = " When left out, each call makes its own key." if idempotency == "automatic" else ""
        options["idempotency_key: str | None = None"] = f"Requests with the same key run once.{made}"
    return options


def _passed(endpoint: Endpoint) -> list[str]:
    return [f"{parameter.name}={parameter.name}" for parameter in endpoint.arguments]


def _docstring(endpoint: Endpoint) -> str:
    """Google style: what ``help()`` and the reference show."""
    document, data = endpoint.document, endpoint.data
    members: Node = document["components"]["schemas"][endpoint.body]["properties"] if endpoint.body else {}
    given = f"``{data.type}``" if data else ""
    if data and data.items is not None:
        given = f"A ``Paginator``: await it for one page, iterate it for every ``{data.item}``"
    sections = {
        "Args": [f"{one.name}: {one.description}" for one in endpoint.arguments if not one.later_pages]
        + [f"{option.partition(':')[0]}: {text}" for option, text in _options(endpoint).items()],
        "Keyword Args": [f"{python_name(key)}: {argument_text(document, value)}" for key, value in members.items()],
        "Returns": [f"{given}."] if given else [],
        "Raises": [*failures(endpoint), "SentError: Any other failure. The guide has a page on errors."],
    }
    paragraphs = [f"{endpoint.summary.rstrip('.')}.", *str(endpoint.node.get("description", "")).split("\n\n")]
    parts = [_filled(paragraph) for paragraph in paragraphs if paragraph.strip()]
    for title, entries in sections.items():
        if entries:
            parts.append("\n".join([f"{title}:", *(_filled(entry, "    ", "        ") for entry in entries)]))
    body = "\n\n".join(parts).replace("\\", "\\\\").replace('"""', "'''")
    return textwrap.indent(f'"""{body}\n"""', " " * 8, lambda line: bool(line.strip()))


def failures(endpoint: Endpoint) -> Iterator[str]:
    """Error class and text of each 4xx response, without those that any call may get: a refused key, a limit."""
    for code, response in endpoint.node["responses"].items():
        if not re.fullmatch(r"4\d\d", code) or ("$ref" in response and code in ("401", "403", "429")):
            continue
        described = resolve(endpoint.document, endpoint.place, response)
        text = " ".join(str(described.get("description", "")).split())
        # A shared response says in its first sentence what it means, and then how it was documented.
        text = re.split(r"(?<=\.) ", text)[0] if "$ref" in response else text
        yield f"{_ERRORS.get(code, 'SentAPIError')}: {text}"


def _filled(text: str, first: str = "", others: str = "") -> str:
    """A text in lines of at most 100 columns in the file. A path with a hyphen stays whole."""
    line = " ".join(text.split())
    return textwrap.fill(line, 92, initial_indent=first, subsequent_indent=others, break_on_hyphens=False)
