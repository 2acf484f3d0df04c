"""The fragment as one document, read without the generator's help."""

from __future__ import annotations

from codegen.openapi.reading import bundle

from .by_document import Described
from .things import ROOT

DOCUMENT = bundle(ROOT / "openapi" / "sent-v3.yaml")
DESCRIBED = Described(DOCUMENT)
