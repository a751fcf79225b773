"""What a person who runs the service sees of it: metrics, logs, traces, and how it leaves.

Counts, durations, codes and ids; never a question, an answer, a key or an address with its query. Nothing
here decides what is answered.
"""
