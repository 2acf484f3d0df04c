"""Docstrings are written for terminals and editors. This extension of griffe converts them for the reference."""

from __future__ import annotations

import re
from typing import Any

import griffe


class PlainDocstrings(griffe.Extension):
    """Makes Markdown of the little markup they have, and shows the members of models and of request bodies."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """``text::`` before a code block becomes ``text:``. A ``::`` by itself goes, and labels that say little."""
        obj.labels -= {"class-attribute", "instance-attribute", "module-attribute"}
        if obj.docstring is not None:
            text = re.sub(r"(?m)^\s*::$", "", obj.docstring.value)
            text = re.sub(r"(?m)^Returns:\n +``\w+``\.\n*", "", text)  # the signature says the same
            obj.docstring.value = re.sub(r"(?m)::$", ":", text)

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Comes last, because the members of a body stand in another module than the method."""
        if pkg.name != "sent_async":
            return
        for resource in pkg["resources"].modules.values():
            for cls in resource.classes.values():
                for method in cls.functions.values():
                    write_out_members(method, pkg["models.fields"])
        for module in ("responses", "requests", "events"):
            for model in pkg["models"][module].classes.values():
                list_members(model)


def write_out_members(method: griffe.Function, fields: griffe.Module) -> None:
    """Put the members of a body in place of ``**fields: Unpack[...]``. Their texts are in the docstring already."""
    packed = next((p for p in method.parameters if p.kind is griffe.ParameterKind.var_keyword), None)
    if packed is None or not isinstance(packed.annotation, griffe.ExprSubscript) or method.docstring is None:
        return
    del method.parameters[packed.name]
    for name, member in fields[str(packed.annotation.slice)].attributes.items():
        annotation: Any = member.annotation
        optional = isinstance(annotation, griffe.ExprSubscript) and str(annotation.left) == "NotRequired"
        annotation, default = (annotation.slice, "...") if optional else (annotation, None)
        kind = griffe.ParameterKind.keyword_only
        method.parameters.add(griffe.Parameter(name, annotation=annotation, kind=kind, default=default))
    for section in method.docstring.parsed:
        if section.kind is griffe.DocstringSectionKind.other_parameters:
            section.title = "Members:"


def list_members(model: griffe.Class) -> None:
    """One line for each member, in place of a heading for each."""
    members = [
        griffe.DocstringAttribute(name, annotation=_plain(member.annotation), description=_text(member))
        for name, member in model.attributes.items()
        if not name.startswith("_")
    ]
    if members and model.docstring is not None:
        model.docstring.parsed.append(griffe.DocstringSectionAttributes(members, title="Members:"))


def _text(member: griffe.Attribute) -> str:
    value = member.value  # ``field(name="isMain")`` only renames
    required = value is None or (isinstance(value, griffe.ExprCall) and "default" not in str(value))
    return f"{'Required. ' * required}{member.docstring.value if member.docstring else ''}"


def _plain(annotation: Any) -> Any:
    """Without ``UnsetType``, which says that the member may be left out."""
    if isinstance(annotation, griffe.ExprBinOp) and str(annotation.right) == "UnsetType":
        return annotation.left
    return annotation
