"""Fit ranking, reader and confidence on named data outside any corpus that is served, and say how they do."""
