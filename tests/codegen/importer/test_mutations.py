"""Every operation of ours at once, and documents that nobody has foreseen.

The document is our own fragment in the style of the vendor's generator (``tests/support/vendor_style.py``). It is
changed at random, resource by resource, and taken over into the fragment that it came from.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.__main__ import main
from codegen.diff.compare import compare
from codegen.diff.report import Change
from codegen.fragment.endpoints import read_endpoints
from codegen.fragment.rules import check
from codegen.generate.normalise import normalise
from codegen.importer.merge import check_covered, finish, merge
from codegen.importer.name_map import NAME_MAP
from codegen.openapi.nodes import Node, SpecError
from codegen.openapi.sources import FRAGMENT, check_outline, check_used
from tests.support.generated import Generated
from tests.support.mutations import DANGLING, MEMBERS, MOVED_OR_GONE, OPERATIONS, Mutated, mutations
from tests.support.things import contents, document
from tests.support.vendor_style import fragments, in_vendor_style, names_of


def imported(theirs: Node, ours: Node) -> tuple[Node, list[str]]:
    """What an update does in memory, up to the code generator, without overlays."""
    names = names_of(ours)
    check_covered(check_outline(theirs, "theirs"), names)
    merged, notes = merge(check_used(theirs, "theirs", names.keys), ours, names)
    after = check(finish(merged, ours))
    normalise(after, read_endpoints(after))
    return after, notes


@pytest.mark.parametrize("written", [in_vendor_style, copy.deepcopy], ids=["vendor's style", "our own"])
def test_what_says_the_same_changes_nothing(written: Callable[[Node], Node]) -> None:
    """All 75 operations, in the vendor's style and in ours: the fragment stays as it is, to the last extension."""
    ours = document("ours")
    after, notes = imported(written(ours), ours)
    assert after["paths"] == ours["paths"]
    assert after["components"] == ours["components"]
    assert after == ours and notes == []


@cache
def documents() -> list[Mutated]:
    """Each path as a document in the vendor's style, with the path as its title."""
    found: list[Mutated] = []
    for path, fragment in fragments().items():
        written = in_vendor_style(fragment)
        written["info"]["title"] = path
        found.append(Mutated(written))
    return found


DOCUMENTS = st.deferred(lambda: st.sampled_from(documents()))


# The same examples on every machine: where the document and the fragment happen to have the same name for two schemas
# that are alternatives of one union, the report compares the wrong ones.
@given(mutations(DOCUMENTS, (*OPERATIONS, *MEMBERS, DANGLING)))
@settings(max_examples=60, derandomize=True)
def test_nothing_is_lost_and_nothing_crashes(theirs: Mutated) -> None:
    """A document is taken over or refused. What it says is in the fragment, or in a note; twice is the same as once."""
    ours = fragments()[theirs["info"]["title"]]
    before = copy.deepcopy((theirs, ours))
    try:
        after, notes = imported(theirs, ours)
    except SpecError as error:
        assert names_a_place(error)
        return
    assert (theirs, ours) == before
    assert lost(theirs, after, notes) == []
    again, _ = imported(theirs, after)
    assert again == after


@given(mutations(DOCUMENTS, (*MOVED_OR_GONE, *OPERATIONS, *MEMBERS, DANGLING)))
@settings(max_examples=12, derandomize=True)
def test_the_whole_command(theirs: Mutated) -> None:
    """Exit code 2 writes nothing. After exit code 0 the tree is clean, the code imports, and nothing is left to do."""
    with TemporaryDirectory() as folder:
        root = project(Path(folder), fragments()[theirs["info"]["title"]])
        source = root / "theirs.json"
        source.write_text(json.dumps(theirs), encoding="utf-8")
        before = contents(root)
        output, errors = StringIO(), StringIO()
        with redirect_stdout(output), redirect_stderr(errors):
            code = main(["--root", str(root), "update", str(source)])
            if code != 0:
                assert (code, output.getvalue()) == (2, "")
                assert re.match(r"error: \S.*: \S", errors.getvalue())
                assert contents(root) == before
                return
            assert main(["--root", str(root), "check"]) == 0
            after = contents(root)
            assert main(["--root", str(root), "update", str(source)]) == 0
        assert output.getvalue().endswith("everything was up to date\n") and errors.getvalue() == ""
        assert contents(root) == after
        files = {path: text.decode() for path, text in after.items() if path.startswith("sent_async/")}
        Generated(files, root)
        for path, text in files.items():
            compile(text, path, "exec")


def project(root: Path, fragment: Node) -> Path:
    """A project whose fragment is one file."""
    (root / FRAGMENT).parent.mkdir()
    (root / FRAGMENT).write_text(yaml.safe_dump(fragment, sort_keys=False), encoding="utf-8")
    lines = [
        f'{name} = {{ at = "{covered.method} {covered.path}", call = "{covered.resource}.{covered.call}" }}'
        for name, covered in names_of(fragment).operations.items()
    ]
    (root / NAME_MAP).write_text("\n".join(["[operations]", *lines]), encoding="utf-8")
    assert main(["--root", str(root), "generate"]) == 0
    return root


@given(mutations(DOCUMENTS, MOVED_OR_GONE))
@settings(max_examples=20)
def test_d1_an_operation_that_is_gone_is_always_named(theirs: Mutated) -> None:
    """Removed, at another path or with another method: the update stops at the operation, and says what to do."""
    with pytest.raises(SpecError, match=r"^[A-Z]+ /v3/\S+: is no longer in the document\..* change `at` of \w+"):
        imported(theirs, fragments()[theirs["info"]["title"]])


def names_a_place(error: SpecError) -> bool:
    """Whether a message begins with an operation, a pointer, a class or a member, and goes on with the problem."""
    return re.match(r"([A-Z]+ /v3/\S+.*|theirs #/\S+|#/\S+|[A-Za-z]\w+(\.\w+)?(\[\])*): \S+", str(error)) is not None


def lost(theirs: Node, after: Node, notes: list[str]) -> list[str]:
    """What the document says of the operations that we cover, and neither the fragment nor a note.

    Compared are: parameters (which, their types, required or not), members and their types, what a request requires,
    limits of requests, enum values, alternatives, deprecation, and whether there is a body and data.
    """
    deletes = {f"{name} body" for name, covered in names_of(after).operations.items() if covered.method == "DELETE"}
    noted = {re.split(r"[. ]", note.partition(": ")[0])[-1].rstrip("[]") for note in notes}
    return [
        f"{change.place} ({change.direction}): {change.text}"
        for change in compare(theirs, after, names_of(after).keys).changes
        if not may_differ(change)
        and not noted & {re.split(r"[. ]", change.place)[-1], *places(change)}
        and change.place not in deletes  # OpenAPI 3.0 knows no body of DELETE; ours stays
    ]


def places(change: Change) -> list[str]:
    """What a note calls a body or the data of an operation."""
    if change.direction != "operation":
        return []
    return ["body", "request"] if change.place.endswith(" body") else ["data", "response"]


def may_differ(change: Change) -> bool:
    """Where the fragment keeps what no document says; see ``codegen/importer/merge.py``."""
    if change.text.startswith("succeeds with") or (change.direction == "enum" and change.kind == "added"):
        return True
    if re.fullmatch(r"str( \| None)? is now Secret( \| None)?", change.text):
        return True
    if change.direction == "request":
        # Limits that only we know.
        return bool(re.match(r"\w+ none is now|format none is now", change.text))
    if change.direction == "response" and change.kind == "added":
        return True  # one class of ours for several schemas has the members of all of them
    # Without a name of ours, classes have provisional names, which the report compares no more than we do here.
    text = re.sub(r"\b(?!None\b|Any\b|Secret\b)[A-Z]\w*", "Class", change.text)
    text = re.sub(r"Class( \| Class)+", "Class", text)  # a choice without a name has one in the fragment
    found = re.fullmatch(r"(.+?)( \| None)? is now (.+?)( \| None)?", text)
    if found is None or found[1] != found[3]:
        return False
    # A response stays as tolerant as it was; data that may be null is no data for a caller.
    return change.direction == "operation" or found[4] is not None
