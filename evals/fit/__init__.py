"""Fit the ranking weights on named data outside any corpus that is served, and say how they came about."""
