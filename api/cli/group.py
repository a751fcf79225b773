"""The `cewen` command group: errors to exit codes, and commands of other packages imported when used.

Exit codes: 0 done (an abstention is an answer), 1 the input is bad, 2 settings, seeds, model or index are
unusable, 130 interrupted. A usage error under `eval` is 2, because there 1 means that quality is bad.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import typer
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from api.cli.console import force_utf8, report_error, stderr_console
from rag.errors import CewenError, ConfigError, InputError

_BAD_INPUT, _UNUSABLE, _INTERRUPTED = 1, 2, 130
_EVAL = "eval"


class LazyCommand(TyperCommand):
    """Listed by `--help` without being imported; becomes the real command when it is called.

    Args:
        name: Name of the command.
        text: What `--help` says of it.
        module: Module whose `app` is the real command.
    """

    def __init__(self, name: str, text: str, module: str) -> None:
        super().__init__(name, help=text)
        self._module = module

    def load(self) -> Any:
        """The real command.

        Raises:
            ConfigError: If its module cannot be imported.
        """
        try:
            module = importlib.import_module(self._module)
        except ImportError as error:
            raise ConfigError(
                f"无法载入 {self._module!r}：{error}。请在项目目录里运行 make install。"
            ) from error
        # Not `get_command`, which would add options that install shell completion for a part of `cewen`.
        return typer.main.get_group(module.app)

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> typer.Context:
        """The real command's context; whoever invokes a context invokes the command it belongs to."""
        context: typer.Context = self.load().make_context(info_name, args, parent=parent, **extra)
        return context


class CewenGroup(TyperGroup):
    """All commands. `main` never lets an error of ours out as a traceback."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.add_command(
            LazyCommand("collections", "列出、建立、删除文库：各自独立的语料", "api.cli.library")
        )
        self.add_command(LazyCommand("keys", "建立、查看、吊销访问密钥", "api.cli.keys"))
        self.add_command(LazyCommand("review", "整理没答上来的和被说“没帮助”的问题", "api.cli.review"))
        if find_spec("evals") is not None:
            text = "评测问答质量，或按门禁判定合格与否"
            self.add_command(LazyCommand(_EVAL, text, "evals.cli"))

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line and exit; without arguments, show the help."""
        del standalone_mode  # the exit code is decided here, whoever calls
        force_utf8()
        typed = list(sys.argv[1:] if args is None else args) or ["--help"]
        try:
            code = super().main(typed, prog_name, complete_var, False, windows_expand_args, **extra)
            sys.stdout.flush()
        except CewenError as error:
            report_error(error)
            code = _BAD_INPUT if isinstance(error, InputError) else _UNUSABLE
        except typer.Abort:
            code = _INTERRUPTED
        except typer.TyperException as error:
            code = _report_usage(error)
        except BrokenPipeError:
            # Whoever read our output has gone; Python's own flush at exit must not meet the closed pipe.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = _BAD_INPUT
        sys.exit(code if isinstance(code, int) else 0)


def _report_usage(error: typer.TyperException) -> int:
    """Say what is wrong with the command line; the exit code."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "cewen"
    said = error.format_message().rstrip(".")
    message = f"错误：命令行有误：{said}。请用 {command} --help 查看用法。"
    stderr_console().print(Text(message, style="red"))
    under_eval = context is not None and context.find_root().invoked_subcommand == _EVAL
    return _UNUSABLE if under_eval else _BAD_INPUT
