"""Which characters are Chinese. It imports nothing: what decides how texts are cut needs it, too."""

from __future__ import annotations

HAN = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Ranges of Chinese characters, for a class of a regular expression: also the rare ones of many names."""
