"""Uploads: what callers send to be added, from the bytes of a request to a text with its metadata.

`gate.py` lets few of them in at a time, before a byte of the body is read. `reading.py` is the entry for the
rest: two kinds of body (forms in `form.py`, JSON), one result. What a document is and how it becomes text is
`rag.converting`'s business; where it goes, the library's.
"""
