"""The error tree: every exception Cewen raises on purpose.

    CewenError
    ├── InputError            the caller sent something we cannot use        -> 4xx
    │   ├── NotFoundError     a document or generator that does not exist   -> 404
    │   └── TooLargeError     more text or bytes than a limit allows        -> 413
    ├── ConfigError           a setting, seed folder or model is unusable   -> exit 2
    │   └── EncoderError      the encoder could not be built or loaded
    ├── IndexFileError        a built index is missing, damaged or foreign
    │   └── IndexMismatchError  it was built from other text, model or settings
    ├── CitationError         a citation does not match the stored source   -> a bug of ours
    ├── GeneratorError        an answer generator failed; the engine degrades, no reader sees it as an error
    └── UnavailableError      not ready, overloaded or shutting down        -> 503

Every error has a `code` (stable, English, snake case; listed in `docs/errors.md`) and a `message`
(Chinese, for people: what came, what is allowed, what to do next). Having no evidence for a
question is an answer, not an error, and has no place here.
"""

from __future__ import annotations

from typing import ClassVar


class CewenError(Exception):
    """Root of the tree.

    Args:
        message: For people, in Chinese.
        code: A more precise code than the class's default.
    """

    default_code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code


class InputError(CewenError):
    """The caller sent something that cannot be used; sending it again will not help."""

    default_code = "invalid_request"


class NotFoundError(InputError):
    """The named thing does not exist."""

    default_code = "not_found"


class TooLargeError(InputError):
    """A limit on text length or bytes was passed."""

    default_code = "too_large"


class ConfigError(CewenError):
    """A setting, seed folder or model makes it impossible to start."""

    default_code = "invalid_configuration"


class EncoderError(ConfigError):
    """The encoder could not be built, loaded or does not fit its description."""

    default_code = "encoder_unusable"


class IndexFileError(CewenError):
    """A built index is missing, damaged, or not ours."""

    default_code = "index_damaged"


class IndexMismatchError(IndexFileError):
    """A built index is sound but was made from other text, another model or other settings."""

    default_code = "index_mismatch"


class CitationError(CewenError):
    """A citation's offsets do not give its quote: never shown to a reader."""

    default_code = "citation_mismatch"


class GeneratorError(CewenError):
    """An answer generator could not write, or not to the end."""

    default_code = "generator_failed"


class UnavailableError(CewenError):
    """The service cannot answer now; trying again later may help."""

    default_code = "unavailable"
