"""The fragment's files: a changed document is patched into them, so that comments and layout stay as they are."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import LiteralScalarString

from codegen.openapi import Node, escaped, is_list, is_node, references

_WIDTH: Final = 118


def patch_files(folder: Path, root: str, document: Node) -> dict[str, str]:
    """The texts of the fragment's files with this document in them: those that change, by name.

    Args:
        folder: Where the files are.
        root: The name of the root file. Every file that its paths and components refer to belongs to the fragment.
        document: The fragment as one document.
    """
    patched = _Files(folder, root, document)
    patched.run()
    return {name: text for name, text in patched.texts().items() if text != patched.before.get(name)}


def replace_all(root: Path, files: Mapping[str, str | None]) -> None:
    """Put every file in place, or remove it where the text is ``None``: all of them or, if anything fails, none."""
    with tempfile.TemporaryDirectory(dir=root, prefix=".codegen-") as folder:
        fresh, old = Path(folder, "fresh"), Path(folder, "old")
        for place in (fresh / name for name in files):
            place.parent.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            if text is not None:
                (fresh / name).write_text(text, encoding="utf-8", newline="\n")
        done: list[str] = []
        try:
            for name, text in files.items():
                target, backup = root / name, old / name
                backup.parent.mkdir(parents=True, exist_ok=True)
                target.parent.mkdir(parents=True, exist_ok=True)
                done.append(name)
                if target.exists():
                    target.rename(backup)
                if text is not None:
                    (fresh / name).rename(target)
        except BaseException:
            for name in done:
                (root / name).unlink(missing_ok=True)
                if (old / name).exists():
                    (old / name).rename(root / name)
            raise


class _Files:
    def __init__(self, folder: Path, root: str, document: Node) -> None:
        self.root, self.document = root, document
        self.before = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}
        loaded = {name: _yaml().load(text) for name, text in self.before.items()}
        reached = {root}
        waiting = [root]
        while waiting:
            for _, ref in references(loaded[waiting.pop()]):
                file = ref.partition("#")[0]
                if file and file not in reached:
                    reached.add(file)
                    waiting.append(file)
        self.files: dict[str, Any] = {name: loaded[name] for name in loaded if name in reached}
        self.before = {name: self.before[name] for name in self.files}
        self.adopted: set[tuple[str, str]] = set()
        self.homes = {
            (kind, key): name
            for name, content in self.files.items()
            for kind, parts in content.get("components", {}).items()
            for key in parts
        }

    def run(self) -> None:
        """Patch every file."""
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
            self._file(home)
            if home != self.root and path not in self.files[self.root]["paths"]:
                self.files[self.root]["paths"][path] = _flow({"$ref": f"{home}#/paths/{escaped(path)}"})
        for name, content in self.files.items():
            kept = {path: self._local(item, name) for path, item in paths.items() if homes[path] == name}
            if name == self.root:
                kept |= {path: content["paths"][path] for path in paths if homes[path] != name}
            if kept or "paths" in content:
                _patch(content.setdefault("paths", CommentedMap()), kept)
            components = self.document["components"]
            kinds = {kind for kind, key in self.homes if self.homes[kind, key] == name}
            for kind in sorted(kinds):
                parts = {
                    k: self._local(v, name) for k, v in components.get(kind, {}).items() if self.homes[kind, k] == name
                }
                holder = content.setdefault("components", CommentedMap()).setdefault(kind, CommentedMap())
                _patch(holder, parts)

    def texts(self) -> dict[str, str]:
        """Each file as text."""
        found: dict[str, str] = {}
        for name, content in self.files.items():
            stream = io.StringIO()
            _yaml().dump(content, stream)
            found[name] = stream.getvalue()
        return found

    def _home_of(self, item: Node) -> str:
        """The file of a new path: that of the resource."""
        if len(self.files) == 1:
            return self.root
        resource = next(str(node["x-resource"]) for node in item.values() if is_node(node) and "x-resource" in node)
        return f"{resource.split('.')[0]}.yaml"

    def _adopt(self, node: object, home: str) -> None:
        """Give the new components that a node leads to a home in the same file."""
        for _, ref in references(node):
            kind, key = ref.split("/")[2:4]
            self.homes.setdefault((kind, key), home)
            if (kind, key) not in self.adopted:
                self.adopted.add((kind, key))
                self._adopt(self.document["components"][kind][key], self.homes[kind, key])

    def _file(self, name: str) -> None:
        if name not in self.files:
            title = name.removesuffix(".yaml").replace("_", " ").capitalize()
            info = {key: self.document["info"][key] for key in ("version",) if key in self.document["info"]}
            self.files[name] = _commented({"openapi": self.document["openapi"], "info": {"title": title, **info}})
            self.files[name]["paths"] = CommentedMap()

    def _local(self, node: Any, name: str) -> Any:
        """A node with references as this file writes them."""
        if is_node(node):
            written = {key: self._local(value, name) for key, value in node.items()}
            ref = node.get("$ref")
            if isinstance(ref, str) and (home := self.homes[ref.split("/")[2], ref.split("/")[3]]) != name:
                written["$ref"] = home + ref
            return written
        return [self._local(item, name) for item in node] if is_list(node) else node


def _patch(node: Any, new: Node) -> None:
    """Make a mapping of ruamel's equal to another, touching only what differs."""
    for key in [key for key in node if key not in new]:
        del node[key]
    for position, (key, value) in enumerate(new.items()):
        if key not in node:
            node.insert(min(position, len(node)), key, _commented(value))
        elif is_node(node[key]) and is_node(value):
            _patch(node[key], value)
        elif is_list(node[key]) and is_list(value) and len(node[key]) == len(value) and all(map(is_node, value)):
            for index, item in enumerate(value):
                if is_node(node[key][index]):
                    _patch(node[key][index], item)
                else:
                    node[key][index] = _commented(item)
        elif node[key] != value:
            node[key] = _commented(value)


def _commented(value: Any) -> Any:
    """A value in the style of the house: short lists and references on one line, long texts as blocks."""
    if is_node(value):
        return _flow(value) if value.keys() == {"$ref"} else CommentedMap((k, _commented(v)) for k, v in value.items())
    if is_list(value):
        written = CommentedSeq(_commented(item) for item in value)
        if not any(is_node(item) or is_list(item) for item in value) and len(str(value)) < 90:
            written.fa.set_flow_style()
        return written
    return LiteralScalarString(value) if isinstance(value, str) and re.search(r"\n(?=.)", value) else value


def _flow(value: Node) -> CommentedMap:
    written = CommentedMap(value)
    written.fa.set_flow_style()
    return written


def _yaml() -> YAML:
    found = YAML()
    found.width = _WIDTH
    found.preserve_quotes = True
    found.indent(mapping=2, sequence=4, offset=2)
    # ``null`` in words: an empty value reads like something that was forgotten.
    found.representer.add_representer(
        type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    return found
