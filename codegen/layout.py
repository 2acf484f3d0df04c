"""Write a changed document over its old text, so that only what changed looks changed.

A dumper would give every line its own taste, and a review of one new property would read like a rewrite. Here an
entry whose value is the same keeps its lines, comments included; only the others are dumped.
"""

from __future__ import annotations

from typing import Any, Final, cast

import yaml

from codegen.document import Node, is_list, is_node

WIDTH: Final = 118


class _Dumper(yaml.SafeDumper):
    """Block style, indented lists, flow style for short lists of scalars, folded long texts."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 (lists are indented)
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (none of it is worth an alias)
        return True


def _list(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.Node:
    node = dumper.represent_sequence("tag:yaml.org,2002:seq", data)
    short = sum(len(str(item)) + 4 for item in data) < 90 and not any(is_node(i) or is_list(i) for i in data)
    node.flow_style = short
    return node


def _text(dumper: yaml.SafeDumper, data: str) -> yaml.Node:
    style = "|" if "\n" in data.strip() else ">" if len(data) > 80 else None
    # As the reader of fragments sees it, a date is text; other readers want the quotes.
    node: yaml.Node = cast("Any", dumper).represent_scalar("tag:yaml.org,2002:str", data, style=style)
    return node


_Dumper.add_representer(list, _list)
_Dumper.add_representer(str, _text)


def dump(value: object) -> str:
    """A value as YAML in the style of the house."""
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH, indent=2)
    return text.removesuffix("...\n")


def rewrite(old_text: str, old: Node, new: Node) -> str:
    """The text of ``new``, with the lines of ``old_text``, which says ``old``, wherever the two say the same."""
    if old == new and _same_order(old, new):
        return old_text
    lines = old_text.splitlines(keepends=True)
    root = cast("yaml.MappingNode", yaml.compose(old_text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    first = root.value[0][0].start_mark.line
    return "".join(lines[:first]) + _mapping(lines, root, old, new, len(lines), 0)


def _same_order(old: object, new: object) -> bool:
    """Whether the keys of two equal values stand in the same order, all the way down."""
    if is_node(old) and is_node(new):
        return list(old) == list(new) and all(_same_order(old[key], new[key]) for key in old)
    if is_list(old) and is_list(new):
        return all(_same_order(a, b) for a, b in zip(old, new, strict=True))
    return True


def _mapping(lines: list[str], node: yaml.MappingNode, old: Node, new: Node, end: int, depth: int) -> str:
    """The entries of a block mapping whose old lines go up to ``end``."""
    # What stands above the first key belongs to whatever holds it: it stays when the first entry goes.
    first = node.value[0][0].start_mark.line
    starts = [first, *(_start(lines, key) for key, _ in node.value[1:]), end]
    spans = {key.value: (starts[i], starts[i + 1], value) for i, (key, value) in enumerate(node.value)}
    parts: list[str] = []
    for key, value in new.items():
        start, stop, child = spans.get(key, (0, 0, None))
        if child is not None and old[key] == value and _same_order(old[key], value):
            parts.append("".join(lines[start:stop]))
        elif _is_block(child) and is_node(value) and value:
            inside = cast("yaml.MappingNode", child)
            parts += lines[start : inside.value[0][0].start_mark.line]
            parts.append(_mapping(lines, inside, old[key], value, stop, depth + 1))
        else:
            indent = "  " * depth
            parts += [indent + line for line in _entry(key, value, child).splitlines(keepends=True)]
    return "".join(part if part.endswith("\n") else f"{part}\n" for part in parts)


def _start(lines: list[str], key: yaml.Node) -> int:
    """The first line of an entry: its key's, or that of the comments and blank lines above it."""
    line, comment = key.start_mark.line, f"{' ' * key.start_mark.column}#"
    while line and (lines[line - 1].startswith(comment) or not lines[line - 1].strip()):
        line -= 1
    return line


def _is_block(node: yaml.Node | None) -> bool:
    return isinstance(node, yaml.MappingNode) and not node.flow_style and bool(node.value)


def _entry(key: str, value: object, old: yaml.Node | None) -> str:
    if isinstance(old, yaml.MappingNode) and old.flow_style:  # ``schema: {$ref: …}`` stays on its line
        flow = yaml.dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
        return f"{yaml.safe_dump(key).splitlines()[0]}: {flow}"
    return dump({key: value})
