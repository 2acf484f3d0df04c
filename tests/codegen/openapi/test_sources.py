"""Documents from files and URLs, and inputs that are no documents."""

from __future__ import annotations

import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codegen.__main__ import main
from codegen.openapi.nodes import SpecError
from codegen.openapi.operations import operations
from codegen.openapi.reading import bundle
from codegen.openapi.sources import FRAGMENT, read_source
from tests.support.things import THINGS, at, changed, document, edit


def test_two_paths_for_one_operation() -> None:
    """Paths that differ only in the name of a parameter are one operation, and the second is refused."""
    found = changed("vendor", at("paths", "/v3/things/{key}", to=document("vendor")["paths"]["/v3/things/{id}"]))
    with pytest.raises(SpecError, match="is the same operation as"):
        operations(found)


def test_paths_of_a_part_must_be_a_mapping(root: Path) -> None:
    """A file of the fragment with a list in the place of a mapping is refused by its name."""
    edit(root, "things.yaml", "paths:", "paths: []\nx-paths:")
    with pytest.raises(SpecError, match=r"things.yaml paths: is not a mapping"):
        bundle(root / FRAGMENT)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A web server on this machine with the vendor's document."""
    folder = tmp_path / "served"
    folder.mkdir()
    shutil.copy(THINGS / "vendor.yaml", folder)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, format: str, *args: Any) -> None:
            """No log."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_document_from_a_url(root: Path, served: str) -> None:
    """The lock file has the address and the digest of the document."""
    assert main(["--root", str(root), "update", f"{served}/vendor.yaml"]) == 0
    assert f"{served}/vendor.yaml" in (root / "openapi/lock.toml").read_text(encoding="utf-8")
    for source, problem in ((f"{served}/none", "cannot be fetched"), ("http://example.com/x", "must be https")):
        with pytest.raises(SpecError, match=problem):
            read_source(source, root)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"\xff\xfe", "is not UTF-8"),
        (b"[1]", "is not a mapping"),
        (b'{"a": 1, "a": 2}', "duplicate key 'a'"),
        (b'{"a": ', "bad:1:7"),
        (b"a: [", "bad:2:1"),
        (b"a: \x07", "is not YAML"),
        (b"{" * 3 + b'"a":' + b"[" * 100_000, "bad:1:2"),
        (b'{"a":' * 20_000, "is nested too deeply"),
        (b"- " * 101, "is nested too deeply"),
        (b"a: &x [1]\nb: *x", "aliases are refused"),
        (b"swagger: '2.0'", "must be 3.0.x or 3.1.x"),
        (b"openapi: 3.0.0", "info: is missing"),
        (b"openapi: 3.0.0\ninfo: {}\npaths: {}\ncomponents: {schemas: 1}", "components: is no mapping of schemas"),
        (b"openapi: 3.0.0\ninfo: {}\npaths: {/x: {get: 1}}", "paths /x: is not a mapping of operations"),
        (b"openapi: 3.0.0\ninfo: {}\npaths: {/x: {$ref: 'none.yaml#/x'}}", "cannot be read"),
    ],
)
def test_bad_documents(root: Path, text: bytes, problem: str) -> None:
    """An input that is no OpenAPI document is refused, and the error names the place."""
    source = root / "bad"
    source.write_bytes(text)
    with pytest.raises(SpecError) as caught:
        read_source(str(source), root)
    assert problem in str(caught.value)


def test_sources_that_cannot_be_read(root: Path) -> None:
    """A file that cannot be read and an address without encryption are refused."""
    with pytest.raises(SpecError, match="cannot be read"):
        read_source("/proc/self/mem", root)
    with pytest.raises(SpecError, match="must be https"):
        read_source("http://example.com/swagger.json", root)


def test_a_document_that_is_too_large(root: Path, served: str) -> None:
    """It is refused before it is read to its end."""
    with (root / "served/large.json").open("wb") as large:
        large.truncate(64 * 2**20 + 1)
    with pytest.raises(SpecError, match="is larger than"):
        read_source(f"{served}/large.json", root)
