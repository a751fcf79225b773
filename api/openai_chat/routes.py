"""The OpenAI chat format: `/v1/chat/completions` and `/v1/models`."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
PATHS: tuple[str, ...] = ()
