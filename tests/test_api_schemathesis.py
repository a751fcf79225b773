"""Generated requests against the OpenAPI document: no 5xx, no status, type or body it does not declare."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.app import create_app
from api.settings import ApiSettings
from tests.api_fakes import LIGHTHOUSE, TEA, FakeEngine

APP = create_app(FakeEngine, ApiSettings())
APP.state.engine_slot.open()
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", APP)


@SCHEMA.parametrize()
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_conformance(case: schemathesis.Case[Any]) -> None:
    # A schema cannot say "not only zero-width spaces" or "no such generator", so what it allows
    # may still be refused.
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


@pytest.mark.parametrize("path", ["/v1/documents/{document_id}", "/v1/documents/{document_id}/source"])
@pytest.mark.parametrize("document_id", [LIGHTHOUSE, TEA])
def test_conformance_of_documents_that_exist(path: str, document_id: str) -> None:
    case = SCHEMA[path]["GET"].Case(path_parameters={"document_id": document_id})
    assert case.call_and_validate().status_code == 200
