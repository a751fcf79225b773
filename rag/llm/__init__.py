"""Answers from a language model behind any OpenAI-compatible chat endpoint. Off until `CEWEN_LLM_URL` is set.

Reading order: `options`, `sse`, `replies` and `thinking` (bytes to text), `faults`, `waits` and `retrying`
(what can go wrong, and when), `endpoint`, `exchange` and `chat_client` (one question over HTTP), `prompting`,
and the two users: `openai` (the answer generator) and `rewriting` (follow-up questions).

What a model writes is a claim: the gate of `rag.answering` decides what a reader sees. Importing this package
imports no HTTP library.
"""
