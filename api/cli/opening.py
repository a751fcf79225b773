"""What a command talks to: parts of this process, a library opened here, or a service elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.console import progress_bar, stderr_console
from api.cli.parts import Parts, settings_for
from rag.errors import InputError, UnavailableError

if TYPE_CHECKING:
    import typer

    from api.cli.console import Progress
    from api.cli.holdings import Holdings
    from api.cli.service import Service
    from api.ports import Library


_ASK_THE_SERVICE = "也可以让正在运行的服务来做：加上 --url 和它的地址。"


def parts_of(context: typer.Context) -> Parts:
    """The parts that were handed in, or the real ones."""
    return context.obj if isinstance(context.obj, Parts) else Parts()


@contextmanager
def service(
    context: typer.Context, url: str | None, seeds: Path | None, index_dir: Path | None
) -> Iterator[Service]:
    """What answers: the service at `url`, or one of this process.

    Raises:
        InputError: If options are given that do not go together, or the service refuses what is asked.
        CewenError: As whatever is opened.
    """
    from api.cli.service import LocalService, RemoteService, client_at

    if url is None:
        chosen = settings_for(seeds, index_dir)
        with LocalService(parts_of(context), chosen) as local:
            yield local
        return
    if seeds or index_dir:
        raise InputError("--url 问的是在别处运行的服务，用不到 --seeds 和 --index-dir。请只给其中一种。")
    with client_at(url, settings_for(None, None)) as client:
        yield RemoteService(client)


@contextmanager
def holdings(
    context: typer.Context, url: str | None, *, writable: bool | None = True, encodes: bool = False
) -> Iterator[Holdings]:
    """What can be changed: the library of the service at `url`, or that of this machine.

    Args:
        context: Of the command.
        url: Address of a service, or None.
        writable: Whether that of this machine must be writable; None to do without where it is held.
        encodes: Whether a model is needed in any case; if not, that of this machine is loaded only when
            something has to be encoded, or where it has never been before.

    Raises:
        UnavailableError: With code `library_busy` if another process holds that of this machine.
        CewenError: As whatever is opened.
    """
    from api.cli.holdings import LocalHoldings, RemoteHoldings
    from api.cli.resting import RestingHoldings
    from api.cli.service import client_at

    if url is not None:
        with client_at(url, settings_for(None, None)) as client:
            yield RemoteHoldings(client)
        return
    chosen, parts = settings_for(None, None), parts_of(context)
    with ExitStack() as opened:

        def load(told: Progress = lambda _doing, _done, _total: None) -> Library:
            with explaining_busy():
                library = parts.open_library(chosen, told, writable)
            opened.callback(getattr(library, "close", lambda: None))
            return library

        with explaining_busy():
            resting = None if encodes else parts.open_at_rest(chosen, writable)
        if resting is not None:
            opened.callback(resting.close)
            yield RestingHoldings(resting, load)
            return
        with progress_bar(stderr_console()) as told:
            library = load(told)
        yield LocalHoldings(library)


@contextmanager
def explaining_busy(advice: str = _ASK_THE_SERVICE) -> Iterator[None]:
    """Say how to go on where another process holds the library.

    Args:
        advice: How.

    Raises:
        UnavailableError: Then.
    """
    try:
        yield
    except UnavailableError as error:
        if error.code != "library_busy":
            raise
        raise UnavailableError(f"{error.message}{advice}", code=error.code) from error
