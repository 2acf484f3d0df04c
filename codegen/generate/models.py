"""The text of ``sent_async/models/``: classes by datamodel-code-generator; arguments of enums, and choices, by us."""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from datamodel_code_generator import Error, generate
from datamodel_code_generator.config import GenerateConfig
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import DatetimeClassType, Formatter
from datamodel_code_generator.parser import LiteralType

from codegen.fragment.endpoints import Endpoint, request_values, value_name
from codegen.openapi.names import python_name
from codegen.openapi.nodes import SCHEMAS, Node, SpecError, is_list, is_node, nodes

PACKAGE: Final = "sent_async/models"
TYPED_DICT: Final = DataModelType.TypingTypedDict
_UNIONS: Final = '''\
"""Values that are of one of several classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sent_async.choice import choice

if TYPE_CHECKING:
    from . import events, requests, responses
'''
_FIELDS: Final = '"""Keyword arguments of the methods that send a body, for ``Unpack``."""'


def events_file(normalised: Node) -> dict[str, str]:
    """The module of webhook payloads. ``models/__init__.py`` does not import it: few programs receive webhooks."""
    return {f"{PACKAGE}/events.py": _generate(normalised)["events.py"]}


def model_files(normalised: Node, endpoints: Sequence[Endpoint], unions: Node) -> dict[str, str]:
    """Path to text of every file in the models package, not yet formatted."""
    files = _generate(normalised)
    if unions:
        files["unions.py"] = unions_text(unions)
    enums = {node["x-enum"] for node in nodes(normalised) if "x-enum" in node}
    enums |= {parameter.enum for endpoint in endpoints for parameter in endpoint.arguments if parameter.enum}
    if enums:
        files["enums.py"] += values_text(normalised, sorted(enums))
    if bodies := sorted({endpoint.body for endpoint in endpoints if endpoint.body}):
        files["fields.py"] = f"{_FIELDS}\n{_generate(_keywords(normalised, bodies), TYPED_DICT)['fields.py']}"
    modules = [module for module in ("enums", "requests", "responses", "unions") if f"{module}.py" in files]
    files["__init__.py"] = _exports({module: files[f"{module}.py"] for module in modules})
    return {f"{PACKAGE}/{name}": text for name, text in files.items()}


def values_text(normalised: Node, enums: list[str]) -> str:
    """For each enum that is sent, the type of an argument that takes its values.

    Known values as text, so that editors complete them and type checkers find a typo; or members of the enum, which is
    open. msgspec knows no such union, so at run time it is the enum alone.
    """
    typed: list[str] = []
    for enum in enums:
        values = request_values(normalised["components"]["schemas"][f"enums.{enum}"])
        typed.append(f"    {value_name(enum)}: TypeAlias = Literal[{', '.join(map(repr, values))}] | {enum}")
    run = [f"    {value_name(enum)} = {enum}" for enum in enums]
    head = "\n\nfrom typing import TYPE_CHECKING, Literal, TypeAlias\n\nif TYPE_CHECKING:"
    return "\n".join([head, *typed, "else:", *run, ""])


def unions_text(unions: Node) -> str:
    """The types of values that are of one of several classes.

    For type checkers they are unions of the classes and, in responses, of a dict for a class that is not known yet.
    msgspec cannot tell such classes apart, so at run time they are types that it does not know.
    """
    typed: list[str] = []
    run: list[str] = []
    for name, union in unions.items():
        others = [] if union["classes"][0].startswith("requests.") else ["dict[str, Any]"]
        typed.append(f"    {name}: TypeAlias = {' | '.join([*union['classes'], *others])}")
        typed += [f"    {docstring(union['description'])}"] if "description" in union else []
        kinds = f", {union['member']!r}, {union['kinds']!r}" if union["member"] else ""
        run.append(f"    {name} = choice({name!r}, {union['classes']!r}{kinds})")
    return "\n".join([_UNIONS, *typed, "else:", *run])


def _exports(modules: Mapping[str, str]) -> str:
    """The text of the package itself, which gives every class of these modules."""
    names = {module: sorted(_public(ast.parse(text))) for module, text in modules.items()}
    imports = [f"from .{module} import {', '.join(found)}" for module, found in names.items()]
    exports = sorted(name for found in names.values() for name in found)
    return "\n".join([*imports, f"__all__ = {exports!r}"])


def _public(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
            yield ast.unparse(node.target)


def _generate(normalised: Node, model: DataModelType = DataModelType.MsgspecStruct) -> dict[str, str]:
    """Module name to text. The names of the schemas begin with those of their modules."""
    with warnings.catch_warnings():
        # The generator warns of what msgspec could not decode: better no models than such models.
        warnings.simplefilter("error", UserWarning)
        try:
            # Names with dots make modules, and no output path makes them a dict.
            modules = cast("dict[tuple[str, ...], str]", generate(normalised, config=_config(normalised, model)))
            return {path[-1]: text.lstrip("#\n") for path, text in modules.items()}
        except (Error, UserWarning) as error:
            raise SpecError("datamodel-code-generator", str(error)) from error


def _config(normalised: Node, model: DataModelType) -> GenerateConfig:
    schemas: Node = normalised["components"]["schemas"]
    classes = [name for name in schemas if "enum" not in schemas[name] and model is not TYPED_DICT]
    bases: dict[str, str | list[str]] = {name: f"sent_async.structs.{_base(name, schemas[name])}" for name in classes}
    wires = {wire for schema in schemas.values() for wire in schema.get("properties", ())}
    # On a base alone, type checkers do not see that the class is frozen.
    frozen: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for name in (name for name in classes if not name.startswith("requests.")):
        frozen[name] = {"base_class_kwargs": {"frozen": True}}
    return GenerateConfig(
        input_file_type=InputFileType.OpenAPI,
        output_model_type=model,
        disable_future_imports=model is TYPED_DICT,  # under them, __required_keys__ would be wrong
        preset="standard-py311-20261027",  # dated, so that a newer generator keeps the style
        base_class_map=bases,
        extra_template_data=frozen,
        aliases={wire: python_name(wire) for wire in sorted(wires) if python_name(wire) != wire},
        import_overrides={"StrEnum": "sent_async.open_enum"},
        custom_file_header="#",  # its own has the time in it; ours is put above every file
        use_annotated=False,  # no constraints: a short name of two letters must not cost a page
        use_standard_primitive_types=False,  # ids stay text
        output_datetime_class=DatetimeClassType.Datetime,
        # Both, or an enum of one value becomes a Literal, which is closed: its second value would make a response fail.
        enum_field_as_literal=LiteralType.Off,
        use_single_value_enum_as_const=False,
        keyword_only=True,
        keep_model_order=True,  # alphabetical, for small diffs
        capitalise_enum_members=True,
        use_typed_nullable_map_values=True,
        use_schema_description=True,
        use_field_description=True,
        use_inline_field_description=True,
        use_single_line_docstring=True,
        use_double_quotes=True,
        use_exact_imports=True,
        use_type_checking_imports=False,  # msgspec reads annotations at run time
        strict_refs=True,
        formatters=[Formatter.BUILTIN],
    )


def _base(name: str, schema: Node) -> str:
    default = "RequestModel" if name.startswith("requests.") else "ResponseModel"
    return str(schema.get("x-python-base", default))


def _keywords(normalised: Node, bodies: list[str]) -> Node:
    """A document with the members of each request body as the keyword arguments of the methods that send it."""
    schemas: dict[str, Node] = {}
    for body in bodies:
        schema: Node = normalised["components"]["schemas"][f"requests.{body}"]
        schemas[f"fields.{body}Fields"] = {
            "type": "object",
            "description": f"Members of `{body}`.",
            "required": [python_name(wire) for wire in schema["required"]],
            "properties": {python_name(wire): _imported(member) for wire, member in schema["properties"].items()},
        }
    return {**normalised, "components": {"schemas": schemas}}


def _imported(node: Any) -> Any:
    """A schema in which each reference is the class that was generated for it."""
    if is_node(node):
        named = {key: _imported(value) for key, value in node.items() if key != "$ref"}
        path = f"sent_async.models.{str(node['$ref']).removeprefix(SCHEMAS)}" if "$ref" in node else ""
        return {**named, "type": "object", "x-python-type": path} if path else named
    return [_imported(item) for item in node] if is_list(node) else node


def docstring(text: str) -> str:
    """A text as a docstring literal."""
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{escaped[:-1]}\\""""' if escaped.endswith('"') else f'"""{escaped}"""'


def formatted(files: dict[str, str]) -> dict[str, str]:
    """The same files as ruff writes them, with the imports that they use, whatever the project's own settings."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        for command in (["check", "--select=F401,I001", "--fix", "--ignore-noqa"], ["format"]):
            ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "--quiet", "--line-length=100"]
            subprocess.run([*ruff, folder], check=True)  # noqa: S603 (nothing in it is input)
        return {path: Path(folder, path).read_text(encoding="utf-8") for path in sorted(files)}
