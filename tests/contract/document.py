"""The fragment as one document, read without the generator's help."""

from __future__ import annotations

from pathlib import Path

from codegen.openapi.reading import bundle
from tests.support.by_document import Described

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = bundle(ROOT / "openapi" / "sent-v3.yaml")
DESCRIBED = Described(DOCUMENT)
