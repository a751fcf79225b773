"""From text to chunks and from a question to a cited answer. Knows no FAISS, no SQL and no HTTP.

Reading order: `reading` (bytes to documents), `text` and `chunking` (documents to rows), `corpus`,
`encoding` (rows to vectors), `question`, `scope` and `ranking` (evidence), `retrieval`, `answering`
(cited answers), `engine` (all of it). Importing this package imports nothing heavy.
"""
