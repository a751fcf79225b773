"""What all tests share: no network but loopback, the sample page, and the bundled encoder, loaded once."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

from rag.corpus import Corpus, build_corpus, read_folder
from rag.encoding.encoder import BUNDLED_ENCODER, SentenceTransformerEncoder
from rag.records import Source
from rag.settings import Settings

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
_LOCAL_NAMES = {"", "localhost", "localhost.localdomain", socket.gethostname()}

os.environ["HF_HUB_OFFLINE"] = "1"
hypothesis_settings.register_profile("cewen", deadline=None, derandomize=True)
hypothesis_settings.load_profile("cewen")


class NetworkRefusedError(RuntimeError):
    """A test tried to reach something other than this machine."""


def is_loopback(address: object) -> bool:
    """Whether an address, as `connect` takes it, or a host name is this machine's own."""
    host = address[0] if isinstance(address, tuple) and address else address
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _guarded(original: Callable[..., Any], address_at: int) -> Callable[..., Any]:
    def method(self: socket.socket, *args: Any) -> Any:
        local = self.family == socket.AF_UNIX or (
            self.family in (socket.AF_INET, socket.AF_INET6) and is_loopback(args[address_at])
        )
        if not local:
            raise NetworkRefusedError(f"{self.family.name} {args[address_at]!r}: tests use loopback only")
        return original(self, *args)

    return method


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuse every connection, datagram and name look-up but those to this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name, address_at in (("connect", 0), ("connect_ex", 0), ("bind", 0), ("sendto", -1)):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name), address_at))
        look_up = socket.getaddrinfo

        def local_look_up(host: Any, *args: Any, **options: Any) -> Any:
            if not is_loopback(host):
                raise NetworkRefusedError(f"look-up of {host!r}: tests use loopback only")
            return look_up(host, *args, **options)

        patch.setattr(socket, "getaddrinfo", local_look_up)
        yield


@pytest.fixture(scope="session")
def seed_sources() -> tuple[Source, ...]:
    """The files of the sample corpus."""
    return read_folder(SEEDS)


@pytest.fixture(scope="session")
def seed_source(seed_sources: tuple[Source, ...]) -> Source:
    """The one page of the sample corpus."""
    (source,) = seed_sources
    return source


@pytest.fixture(scope="session")
def seed_corpus(seed_sources: tuple[Source, ...]) -> Corpus:
    """Rows of the sample corpus."""
    return build_corpus(seed_sources, chunk_max_chars=200)


def default_cache_dir() -> Path:
    """Where the product unpacks its offline model, so that tests need not unpack it again."""
    return Settings(_env_file=None).cache_dir.expanduser()  # type: ignore[call-arg]


@pytest.fixture(scope="session")
def bundled_encoder() -> SentenceTransformerEncoder:
    """The offline default encoder on one thread."""
    return SentenceTransformerEncoder(BUNDLED_ENCODER, default_cache_dir(), threads=1)


def sample_settings() -> Settings:
    """Settings of a library of the sample corpus alone, encoded once for all runs and the evaluation."""
    from evals.paths import settings_for
    from rag.settings import read_settings

    return settings_for(read_settings(), None)


@pytest.fixture(scope="session")
def live_url() -> Iterator[str]:
    """The address of a real service over the sample corpus, on a real socket; it takes no documents."""
    from api.app import create_app
    from api.assembly import open_library
    from tests.evals_server import serving_app

    settings = sample_settings()
    app = create_app(lambda: open_library(settings, keep_writing=False))
    with serving_app(app) as url:
        assert app.state.engine_slot.wait(300)
        yield url


@pytest.fixture(scope="session")
def nurse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A process that forks workers with a disk and a clock that fail on demand (`tests.fault_nursery`)."""
    from tests.fault_nursery import nursery

    with nursery(tmp_path_factory.mktemp("nursery"), shim=True) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Any:
    """A headless Chromium, the same one for files that follow each other."""
    from tests.browser import KEPT

    return KEPT.get()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Close it before a test that does without: while it runs, no test can run an event loop of its own."""
    if "browser" not in getattr(item, "fixturenames", ()):
        _close_browser()


def pytest_sessionfinish() -> None:
    """Close it after the last test."""
    _close_browser()


def _close_browser() -> None:
    if "tests.browser" in sys.modules:  # else none was opened
        from tests.browser import KEPT

        KEPT.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Any]:
    """A service with the fake engine on a real socket (`tests.browser.Site`)."""
    from tests.browser import serving_site

    with serving_site() as served:
        yield served


@pytest.fixture
def tabs(browser: Any) -> Iterator[Any]:
    """Opens pages (`tests.browser.Tabs`), and fails for what they must not do."""
    from tests.browser import Tabs

    opened = Tabs(browser)
    yield opened
    opened.close()
