"""Documents in other formats (HTML, Word, PDF) to the plain text that is stored, read and cited.

`convert.py` is the entry. What parses a stranger's bytes runs in a child process under limits (`child.py`),
which `sandbox.py` starts and whose end reaches nobody. No page is interpreted here: that is `rag.reading`.
"""
