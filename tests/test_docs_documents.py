"""`docs/documents.md`: its commands run, one after the other, against a service over a library."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from api.app import create_app
from api.routes.documents import ListQuery
from api.uploads.form import FILE_FIELD, REPEATABLE_FIELDS, SINGLE_FIELDS
from api.wire.document_schemas import DocumentForm, DocumentIn, MetadataIn
from tests.api_fakes import FakeLibrary
from tests.evals_server import serving_app
from tests.test_docs_integrations import ADDRESS, blocks_of, check_output, output_of

PAGE = "../documents.md"
TEXT = (Path(__file__).parent.parent / "docs" / "documents.md").read_text("utf-8")
MARK = "==== end of an example ===="


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_commands_run(tmp_path: Path) -> None:
    blocks = [block for block in blocks_of(PAGE) if block.language == "bash"]
    app = create_app(FakeLibrary)
    with serving_app(app) as url:
        assert app.state.engine_slot.wait(10)
        script = "".join(f"{block.body.replace(ADDRESS, url)}\necho '{MARK}'\n" for block in blocks)
        output = output_of(["bash", "-euo", "pipefail", "-c", script], tmp_path)
    assert sum(bool(block.expected) for block in blocks) > 5
    for block in blocks:
        own, _, output = output.partition(MARK)
        check_output(block, own, url)


def test_every_field_is_named() -> None:
    fields = {*DocumentIn.model_fields, *MetadataIn.model_fields, *DocumentForm.model_fields}
    assert [name for name in {*fields, *ListQuery.model_fields} if f"`{name}`" not in TEXT] == []


def test_the_form_that_is_read_is_the_form_that_is_described() -> None:
    assert set(DocumentForm.model_fields) == {FILE_FIELD, *SINGLE_FIELDS, *REPEATABLE_FIELDS}
