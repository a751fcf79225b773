"""The error tree of the client: everything it raises on purpose.

    CewenError
    ├── ConfigError               address, key, time or retries cannot be used; nothing was sent
    ├── ConnectionFailedError     no connection, too slow, or broken off
    ├── InvalidReplyError         a reply that is not Cewen's, such as a proxy's page
    └── ServiceError              the service says that it will not or cannot
        ├── BadRequestError       4xx: what was sent cannot be used
        ├── AuthenticationError   401, 403, 407: the key is missing or wrong
        ├── NotFoundError         404, 410: no such document, collection or address, or none any more
        ├── OverloadedError       429, 503: not ready or too busy; later may help
        ├── ServerError           other 5xx
        └── JobFailedError        what was accepted could not be carried out afterwards

An abstention is an answer and no error. Codes of the service are listed in `docs/errors.md`, those of the
client in `docs/client.md`. No message repeats the key, the question or the text of a reply that is not ours.
"""

from __future__ import annotations

from typing import ClassVar


class CewenError(Exception):
    """Root of the tree. `str()` gives the message with code, status and request id.

    Args:
        message: For people, in Chinese.
        code: Stable, English, for programs; the class's own if not given.
        status: HTTP status of the reply.
        request_id: The service's id of the request, to be named in reports.
        retry_after: Seconds, 0 or more, that the service asks to wait.

    Attributes:
        message: As given.
        code: Stable, English, for programs.
        status: None if no reply came, or if the error came inside a stream that had begun.
        request_id: None if no reply of the service came.
        retry_after: None if the service asked for no wait.
    """

    default_code: ClassVar[str] = "client_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        facts = [self.code]
        if self.status is not None:
            facts.append(f"HTTP {self.status}")
        if self.request_id:
            facts.append(f"请求编号 {self.request_id}")
        return f"{self.message}（{'，'.join(facts)}）"


class ConfigError(CewenError):
    """The client cannot be used as it was set up; nothing was sent."""

    default_code = "invalid_configuration"


class ConnectionFailedError(CewenError):
    """No whole reply came: code `connection_failed`, `timeout` or `incomplete_reply`."""

    default_code = "connection_failed"


class InvalidReplyError(CewenError):
    """What came is not a reply of Cewen."""

    default_code = "invalid_reply"


class ServiceError(CewenError):
    """The service, or a proxy speaking for it, says that it will not or cannot."""

    default_code = "internal_error"


class BadRequestError(ServiceError):
    """What was sent cannot be used; sending it again will not help."""

    default_code = "invalid_request"


class AuthenticationError(ServiceError):
    """The key is missing or wrong."""

    default_code = "authentication"


class NotFoundError(ServiceError):
    """The named document, collection or address does not exist, or not any more."""

    default_code = "not_found"


class OverloadedError(ServiceError):
    """The service is not ready or too busy; trying again later may help."""

    default_code = "unavailable"


class JobFailedError(ServiceError):
    """Something that was accepted could not be carried out; the code says why."""

    default_code = "internal_error"


class ServerError(ServiceError):
    """The service failed."""

    default_code = "internal_error"
