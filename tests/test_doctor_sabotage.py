"""The doctor against proxies that lose something: exactly the clients concerned must turn red."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from api.app import create_app
from api.doctor.connection import Connection
from api.doctor.context import Context
from api.doctor.examination import SURFACES, examine
from api.doctor.model import SurfaceReport
from api.settings import ApiSettings
from tests.api_fakes import FakeEngine
from tests.doctor_proxy import BadProxy, Change, Sabotage, unchanged
from tests.doctor_table import TABLE
from tests.evals_server import serving_app

KEY = "key-1"
QUESTION = "清晨熄灯"


@dataclass(frozen=True)
class Deployment:
    """A service behind a proxy that can be told what to lose."""

    url: str
    proxy: BadProxy

    def examined(self, sabotage: Sabotage | None) -> list[SurfaceReport]:
        self.proxy.sabotage = sabotage and replace(sabotage, reply=self._knowing_its_address(sabotage))
        connection = Connection(self.url, KEY, 2.0 if sabotage and sabotage.hangs else 30.0)
        try:
            return list(examine(Context(connection, QUESTION)))
        finally:
            connection.close()
            self.proxy.sabotage = None

    def _knowing_its_address(self, sabotage: Sabotage) -> Change | None:
        change = sabotage.reply
        return change and (lambda exchange: change(exchange.with_header("x-own-address", self.url)))


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    app = create_app(FakeEngine, ApiSettings(api_key=KEY))
    proxy = BadProxy(app)
    with serving_app(proxy) as url:
        assert app.state.engine_slot.wait(10)
        yield Deployment(url, proxy)


def losses(reports: list[SurfaceReport]) -> dict[str, set[str]]:
    """For each red surface the checks that say so."""
    found = {
        report.name: {each.check for each in report.findings if each.level == "lost"} for report in reports
    }
    return {name: checks for name, checks in found.items() if checks}


def test_without_sabotage_nothing_is_lost(deployment: Deployment) -> None:
    reports = deployment.examined(None)
    assert [report.name for report in reports] == [surface.name for surface in SURFACES]
    assert losses(reports) == {}


def test_a_proxy_that_only_passes_on_loses_nothing(deployment: Deployment) -> None:
    passing = Sabotage("none", ".*", {}, unchanged, request=lambda exchange: exchange)
    assert losses(deployment.examined(passing)) == {}


@pytest.mark.parametrize("sabotage", TABLE, ids=[sabotage.name for sabotage in TABLE])
def test_each_loss_is_found_where_it_is(deployment: Deployment, sabotage: Sabotage) -> None:
    found = losses(deployment.examined(sabotage))
    assert set(found) == set(sabotage.red), found
    assert {name: check for name, check in sabotage.red.items() if check not in found[name]} == {}, found
