"""The errors of a conversion, made in one place so that parent and child say the same things.

A message made here lacks the file's name: the parent, which alone knows it, puts it in front (`named`).
"""

from __future__ import annotations

from rag.errors import InputError, TooLargeError

_NAME_CHARS = 120


def unsupported(message: str) -> InputError:
    """A kind of file that is not read at all."""
    return InputError(message, code="unsupported_document")


def unreadable(message: str) -> InputError:
    """A file of a kind that is read, but not this one."""
    return InputError(message, code="unreadable_document")


def too_large(message: str) -> TooLargeError:
    """A file beyond one of the limits on size."""
    return TooLargeError(message, code="document_too_large")


def named(name: str, error: InputError) -> InputError:
    """The same error with the file's name in front of its message."""
    return type(error)(f"文件 {shown(name)} {error.message}", code=error.code)


def shown(name: str) -> str:
    """A file's name for a message: quoted, escaped, not endless."""
    return repr(name if len(name) <= _NAME_CHARS else f"{name[:_NAME_CHARS]}…")
