"""The fragment's files: a changed document is patched into them, so that comments and layout stay as they are.

Only a comment right after a component that goes is lost with it.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import LiteralScalarString

from codegen.openapi.nodes import Node, escaped, is_list, is_node, references

_WIDTH: Final = 118


def patch_files(folder: Path, root: str, document: Node) -> dict[str, str]:
    """The texts of the fragment's files with this document in them: those that change, by name.

    Args:
        folder: Where the files are.
        root: The name of the root file. Every file that it leads to belongs to the fragment.
        document: The fragment as one document.
    """
    files: dict[str, Any] = {}
    waiting = {root}
    while waiting:
        name = waiting.pop()
        files[name] = _yaml().load((folder / name).read_text(encoding="utf-8"))
        beside = {ref.partition("#")[0] for _, ref in references(files[name])}
        waiting |= beside - {""} - files.keys()
    changed = _Patch(files, root, document).run()
    return {name: _dumped(files[name]) for name in sorted(changed)}


def _dumped(content: Any) -> str:
    stream = io.StringIO()
    _yaml().dump(content, stream)
    return stream.getvalue()


class _Patch:
    def __init__(self, files: dict[str, Any], root: str, document: Node) -> None:
        self.files, self.root, self.document = files, root, document
        self.changed: set[str] = set()
        self.adopted: set[tuple[str, str]] = set()
        self.homes = {
            (kind, key): name
            for name, content in files.items()
            for kind, parts in content.get("components", {}).items()
            for key in parts
        }

    def run(self) -> set[str]:
        """Patch every file; the names of those that changed."""
        paths: Node = self.document["paths"]
        homes = {
            path: name
            for name, content in self.files.items()
            for path, item in content.get("paths", {}).items()
            if "$ref" not in item
        }
        for path, item in paths.items():
            home = homes.setdefault(path, self._home_of(item))
            self._adopt(item, home)
            if home not in self.files:
                self.files[home] = self._new_file(home)
        for name, content in self.files.items():
            kept = {
                path: self._local(item, name)
                if homes[path] == name
                else {"$ref": f"{homes[path]}#/paths/{escaped(path)}"}
                for path, item in paths.items()
                if name in (homes[path], self.root)
            }
            self._put(name, content, "paths", kept)
            for kind in sorted({kind for (kind, _), home in self.homes.items() if home == name}):
                known: Node = self.document["components"].get(kind, {})
                parts = {k: self._local(v, name) for k, v in known.items() if self.homes[kind, k] == name}
                self._put(name, content.setdefault("components", CommentedMap()), kind, parts)
        self._put(self.root, self.files[self.root], "x-resources", self.document["x-resources"])
        return self.changed

    def _put(self, name: str, holder: Any, key: str, value: Node) -> None:
        if holder.setdefault(key, CommentedMap()) != value:
            _patch_map(holder[key], value)
            self.changed.add(name)

    def _home_of(self, item: Node) -> str:
        """The file of a new path: that of its resource, unless all is in one file."""
        resource = next(str(node["x-resource"]) for node in item.values() if is_node(node) and "x-resource" in node)
        return self.root if len(self.files) == 1 else f"{resource.split('.')[0]}.yaml"

    def _adopt(self, node: object, home: str) -> None:
        """Give the new components that a node leads to a home in the same file."""
        for _, ref in references(node):
            kind, key = ref.split("/")[2:4]
            self.homes.setdefault((kind, key), home)
            if (kind, key) not in self.adopted:
                self.adopted.add((kind, key))
                self._adopt(self.document["components"][kind][key], self.homes[kind, key])

    def _new_file(self, name: str) -> Any:
        self.changed.add(name)
        title = name.removesuffix(".yaml").replace("_", " ").capitalize()
        info = {"title": title, "version": self.document["info"]["version"]}
        return _commented({"openapi": self.document["openapi"], "info": info})

    def _local(self, node: Any, name: str) -> Any:
        """A node with references as this file writes them."""
        if is_node(node):
            written = {key: self._local(value, name) for key, value in node.items()}
            ref = node.get("$ref")
            if isinstance(ref, str) and (home := self.homes[ref.split("/")[2], ref.split("/")[3]]) != name:
                written["$ref"] = home + ref
            return written
        return [self._local(item, name) for item in node] if is_list(node) else node


def _patch(node: Any, new: object) -> Any:
    """A value of ruamel's made equal to another, touching only what differs."""
    if isinstance(node, CommentedMap) and is_node(new):
        return _patch_map(node, new)
    if is_list(node) and is_list(new) and len(node) == len(new):
        for index, item in enumerate(new):
            node[index] = _patch(node[index], item)
        return node
    return node if node == new else _commented(new)


def _patch_map(node: Any, new: Node) -> Any:
    for key in [key for key in node if key not in new]:
        del node[key]
    for position, (key, value) in enumerate(new.items()):
        if key in node:
            node[key] = _patch(node[key], value)
        else:
            node.insert(min(position, len(node)), key, _commented(value))
    return node


def _commented(value: Any) -> Any:
    """A value in the style of the house: short lists and references on one line, long texts as blocks."""
    if is_node(value):
        written: Any = CommentedMap((key, _commented(inner)) for key, inner in value.items())
        is_short = value.keys() == {"$ref"}
    elif is_list(value):
        written = CommentedSeq(_commented(item) for item in value)
        is_short = not any(is_node(item) or is_list(item) for item in value) and len(str(value)) < 90
    else:
        return LiteralScalarString(value) if isinstance(value, str) and re.search(r"\n(?=.)", value) else value
    if is_short:
        written.fa.set_flow_style()
    return written


def _yaml() -> Any:  # Any, because ruamel.yaml has types for only some of this
    found: Any = YAML()
    found.width = _WIDTH
    found.preserve_quotes = True
    found.brace_single_entry_mapping_in_flow_sequence = True
    found.indent(mapping=2, sequence=4, offset=2)
    # ``null`` in words: an empty value reads like something that was forgotten.
    found.representer.add_representer(type(None), _null)
    return found


def _null(representer: Any, _: None) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")
