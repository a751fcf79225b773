"""Dify's External Knowledge API: `/dify/retrieval`."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
PATHS: tuple[str, ...] = ()
