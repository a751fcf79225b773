"""The client library of Cewen: ask a running service, from Python, and check what it cites.

    from cewen import Client

    with Client("http://127.0.0.1:8000") as client:
        answer = client.ask("灯塔是哪一年建成的？")

Everything named in `__all__` is public; modules below it may change. Documented in `docs/client.md`. It
needs httpx and pydantic only, knows nothing of how the service works, and `cewen.langchain` and
`cewen.llamaindex` are imported by those who want them.
"""

from cewen.async_client import AsyncClient
from cewen.calibration_models import Calibrated, Calibration, CalibrationScores
from cewen.client import Client
from cewen.errors import (
    AuthenticationError,
    BadRequestError,
    CewenError,
    ConfigError,
    ConnectionFailedError,
    InvalidReplyError,
    JobFailedError,
    NotFoundError,
    OverloadedError,
    ServerError,
    ServiceError,
)
from cewen.library_models import (
    Added,
    Collection,
    Described,
    Document,
    DocumentDetail,
    Filters,
    Job,
    Metadata,
    Paragraph,
    Removed,
    Resolution,
)
from cewen.models import (
    Answer,
    AnswerEvent,
    AnswerSentence,
    Citation,
    CitationsKnown,
    Degradation,
    Passage,
    SearchResult,
    TextAdded,
    Turn,
)
from cewen.verdicts import Feedback

__all__ = [
    "Added",
    "Answer",
    "AnswerEvent",
    "AnswerSentence",
    "AsyncClient",
    "AuthenticationError",
    "BadRequestError",
    "Calibrated",
    "Calibration",
    "CalibrationScores",
    "CewenError",
    "Citation",
    "CitationsKnown",
    "Client",
    "Collection",
    "ConfigError",
    "ConnectionFailedError",
    "Degradation",
    "Described",
    "Document",
    "DocumentDetail",
    "Feedback",
    "Filters",
    "InvalidReplyError",
    "Job",
    "JobFailedError",
    "Metadata",
    "NotFoundError",
    "OverloadedError",
    "Paragraph",
    "Passage",
    "Removed",
    "Resolution",
    "SearchResult",
    "ServerError",
    "ServiceError",
    "TextAdded",
    "Turn",
]
