"""Example questions drawn from whatever corpus is served, for people who do not know what to ask.

`patterns` turns sentences into questions by their grammar, `naturalness` refuses what no person would ask,
`candidates` goes over a corpus and `choosing` keeps what the service answers. No word of any corpus is known
here, no model is asked to write, and nothing is learnt: fewer examples are better than bad ones.
"""
