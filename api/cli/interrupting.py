"""What an interrupted command says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from api.cli.console import stderr_console


class InterruptedWorkError(KeyboardInterrupt):
    """Somebody interrupted the wait for a job.

    Args:
        told: What became of the job, in Chinese.
    """

    def __init__(self, told: str) -> None:
        super().__init__(told)
        self.told = told


@contextmanager
def explaining_interruption(said: str = "", otherwise: str = "") -> Iterator[None]:
    """Say what an interrupted command leaves behind.

    Args:
        said: Of what was done before.
        otherwise: Of what was being done, where no job had begun that could be cancelled.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        told = error.told if isinstance(error, InterruptedWorkError) else otherwise
        stderr_console().print(f"已中断。{said}{told}")
        raise
