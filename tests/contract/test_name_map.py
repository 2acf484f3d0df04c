"""The name map of the importer and the fragment have the same operations."""

from __future__ import annotations

from codegen.importer.name_map import NAME_MAP, read_names
from codegen.openapi.operations import operations
from tests.support.fragment import DOCUMENT
from tests.support.things import ROOT


def test_every_operation_has_its_line() -> None:
    """The name map lists the operations of the fragment, each where it is and with the method that it has there."""
    named = {
        name: (one.key, f"{one.resource}.{one.call}") for name, one in read_names(ROOT / NAME_MAP).operations.items()
    }
    described = operations(DOCUMENT).values()
    assert {o.name: (o.key, f"{o.node['x-resource']}.{o.node['x-method']}") for o in described} == named
