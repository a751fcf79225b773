"""Dify's External Knowledge API: `/dify/retrieval`, and `/retrieval` for an endpoint without a path.

What is asked and answered is `routes`; the shapes are `schemas`, the errors it declares `declared`. What
a record holds is `records`; filters over it are `conditions`, which compare values with `comparing`. What is
left of an answer when citations are left out is `remaining`.
"""
