"""Dify's External Knowledge API: `/dify/retrieval`."""
