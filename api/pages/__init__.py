"""The web pages: templates, what fills them, and `static` with their scripts and styles."""
